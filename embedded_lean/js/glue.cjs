"use strict";
// Runs lean.js in this thread, from V8's own form of it where `host.cjs` has made one: each of Lean's threads
// evaluates the whole file, and reading 740 kB of JavaScript took a third of the time that a thread needs to start.
const fs = require("fs");
const Module = require("module");
const path = require("path");
const vm = require("vm");
const { getEnvironmentData, setEnvironmentData } = require("worker_threads");

const KEPT = "lean.js";
const file = path.join(process.env.LEAN_ENGINE_HOME, "lean.js");

function compiled() {
  const cachedData = getEnvironmentData(KEPT);
  return new vm.Script(Module.wrap(fs.readFileSync(file, "utf8")), { filename: file, cachedData });
}

// For all threads that are started from now on.
exports.keep = () => setEnvironmentData(KEPT, compiled().createCachedData());
exports.run = () => {
  const module = { exports: {} };
  compiled().runInThisContext().call(module.exports, module.exports, Module.createRequire(file), module, file, path.dirname(file));
};
