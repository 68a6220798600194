"use strict";
// Starts the patched lean.js in Node.js.  Run as: node [flags] loader.cjs [arguments of lean]
//
// Settings come in environment variables, which `runtime.py` writes:
//   LEAN_ENGINE_HOME      folder with lean.js, lean.wasm, invoke.wasm, symbols.bin
//   LEAN_ENGINE_ROOTS     JSON [[prefix, folder], ...]: folders with compiled modules, read in the threads
//   LEAN_ENGINE_MOUNTS    JSON [[place that Lean sees, folder], ...]: mounted read-only
//   LEAN_ENGINE_OUTPUT    JSON [place, folder] or null: the one folder that Lean may write to
//   LEAN_ENGINE_FOLDER    folder, as Lean sees it, to start in
//   LEAN_ENGINE_POOL      number of threads started ahead
//   LEAN_ENGINE_PARENT    process that must stay alive; when it is gone, so are we
//   LEAN_ENGINE_ASKED     "1": report which paths of FOLDER are asked for: to `host.cjs`, or on stderr, "@asked <JSON>"
//
// `host.cjs` runs this in a Worker, where Lean can run more than once: each message {environment, argv, streams} is a
// run, with its settings and the descriptors of its standard streams.  Back come {asked: path}, {ended: code}, and
// {ready: bytes} when nothing of the run is left and the next may start.
const fs = require("fs");
const path = require("path");
const { parentPort, workerData } = require("worker_threads");

const inHost = Boolean(workerData?.wasm);
const setting = (name) => process.env["LEAN_ENGINE_" + name];
const home = setting("HOME");
const EROFS = 69; // WASI's number
// Of the present run.
let mounts = [], output = null, folder, document, asking;
let streams = inHost ? [-1, 2, 2] : [0, 1, 2];
// Whether the run has written to a place that no mount covers, which the next run would see.
let marked = false;

globalThis.leanPoolSize = Number(setting("POOL"));
globalThis.leanStackBytes = 64 << 20; // of the thread that runs Lean's main
globalThis.leanNativeStackMb = 64; // V8's stack of every thread; compile.py says how large Lean's own may be next to it

const pause = new Int32Array(new SharedArrayBuffer(4));
function writeAll(descriptor, bytes) {
  const buffer = Buffer.from(bytes);
  for (let done = 0; done < buffer.length; )
    try {
      done += fs.writeSync(streams[descriptor], buffer, done);
    } catch (e) {
      if (e.code !== "EAGAIN") throw e;
      Atomics.wait(pause, 0, 0, 1);
    }
}
const waiting = { 1: [], 2: [] };
function flush() {
  for (const descriptor of [1, 2]) {
    const bytes = waiting[descriptor];
    waiting[descriptor] = [];
    if (bytes.length) writeAll(descriptor, bytes);
  }
}
function collect(descriptor) {
  return (byte) => {
    if (byte !== null) waiting[descriptor].push(byte & 255);
    if (byte === null || byte === 10) flush();
  };
}

function leave(code) {
  flush();
  if (!inHost) process.exit(code);
  parentPort.postMessage({ ended: code });
  setImmediate(clearUp, Date.now());
}
// Threads with nothing left to do end by themselves; if one does not end soon, the instance is discarded.
const CLEAR_UP_MS = 1000;
function clearUp(since) {
  const { aborted, idle, memoryBytes } = globalThis.leanRuntime;
  if (aborted || marked || Date.now() - since > CLEAR_UP_MS) process.exit(0);
  if (idle) parentPort.postMessage({ ready: memoryBytes });
  else setTimeout(clearUp, 2, since);
}

process.on("uncaughtException", (error) => {
  flush();
  const { message, permission = "", resource = "" } = error || {};
  const text = `${message || error} ${permission} ${resource}`.slice(0, 300).trim();
  writeAll(2, `@fatal ${text.replace(/\s+/g, " ")}\n`);
  process.exit(70);
});
process.on("exit", flush);

// Every way to change a file goes through one of these; all but the output folder is read-only.
function protect(FS) {
  const guard = (name, places, changes = () => true) => {
    const original = FS[name];
    FS[name] = function (...args) {
      const full = changes(args) ? places.map((index) => FS.lookupPath ? absolute(FS, args[index]) : args[index]) : [];
      if (full.some((place) => onMount(place) && !onOutput(place))) throw new FS.ErrnoError(EROFS);
      const result = original.apply(FS, args);
      if (!full.every(onMount)) marked = true;
      return result;
    };
  };
  const WRITES = 3 | 64 | 512 | 1024; // O_ACCMODE, O_CREAT, O_TRUNC, O_APPEND
  guard("open", [0], (args) => typeof args[1] === "string" ? args[1] !== "r" : (args[1] & WRITES) !== 0);
  for (const name of ["mkdir", "mknod", "rmdir", "unlink", "truncate", "chmod", "lchmod", "chown", "lchown", "utime"])
    if (FS[name]) guard(name, [0]);
  guard("rename", [0, 1]);
  guard("symlink", [1]);
}
function absolute(FS, where) {
  if (typeof where !== "string") where = FS.getPath(where);
  // links in the way are followed, so that no link leads out of the writable folder
  const parts = path.posix.resolve(FS.cwd(), where).split("/");
  for (let n = parts.length; n > 0; n--) {
    const head = parts.slice(0, n).join("/") || "/";
    try {
      return path.posix.join(FS.lookupPath(head, { follow: true }).path, ...parts.slice(n));
    } catch (e) {}
  }
  return parts.join("/");
}
const isIn = (place, full) => full === place || full.startsWith(place + "/");
const onOutput = (full) => Boolean(output) && isIn(output[0], full);
const onMount = (full) => onOutput(full) || mounts.some(([place]) => isIn(place, full));

// Everything that Lean learns about the project's files passes through one of these.  A folder that is listed ends in "/".
const asked = new Set();
function reportAsked(where) {
  if (asked.has(where)) return;
  asked.add(where);
  if (inHost) parentPort.postMessage({ asked: where });
  else writeAll(2, `\n@asked ${JSON.stringify(where)}\n`);
}
function watch(FS) {
  const note = (where, end) => {
    if (!asking || typeof where !== "string") return;
    const full = path.posix.resolve(FS.cwd(), where);
    if (full === folder || full.startsWith(folder + "/")) reportAsked(full + end);
  };
  for (const [name, end] of [["lookupPath", ""], ["readdir", "/"]]) {
    const original = FS[name];
    FS[name] = function (...args) {
      note(args[0], end);
      return original.apply(FS, args);
    };
  }
}

// A document that asks Lean something holds the secret that its answer must carry.  It is deleted once Lean has read it:
// what it imports runs later, and could read it, too.
function forget(FS) {
  const close = FS.close;
  FS.close = function (stream) {
    const read = stream.path === document;
    close.call(FS, stream);
    if (read) FS.unlink(document);
  };
}

// What Lean sees in a run: `environment` as above, `argv` its arguments.
function enter(environment, argv) {
  const { FS, NODEFS } = globalThis.leanRuntime;
  const settings = JSON.parse(environment.LEAN_ENGINE_MOUNTS);
  const written = JSON.parse(environment.LEAN_ENGINE_OUTPUT || "null");
  document = undefined; // what the run before left open is closed without a look at its document
  FS.streams.filter((stream) => stream?.fd > 2).forEach((stream) => FS.close(stream));
  FS.chdir("/");
  for (const [place] of output ? [...mounts, output] : mounts) FS.unmount(place);
  [mounts, output] = [[], null];
  for (const [place, real] of written ? [...settings, written] : settings) {
    FS.mkdirTree(place);
    FS.mount(NODEFS, { root: real }, place);
  }
  [mounts, output, folder] = [settings, written, environment.LEAN_ENGINE_FOLDER];
  FS.chdir(folder);
  document = output && argv.at(-1).startsWith(output[0] + "/") ? argv.at(-1) : undefined;
  asking = environment.LEAN_ENGINE_ASKED === "1";
  asked.clear();
  marked = false;
}

globalThis.leanModule = {
  stdin: () => null,
  stdout: collect(1),
  stderr: collect(2),
  locateFile: (name) => path.join(home, name),
  mainScriptUrlOrBlob: path.join(__dirname, "thread.cjs"),
  preRun: [
    () => {
      const { FS } = globalThis.leanRuntime;
      FS.mkdirTree("/engine/bin"); // Lean looks at the folder of its program
      protect(FS);
      forget(FS);
      watch(FS);
      if (!inHost) enter(process.env, process.argv);
    },
  ],
  onExit: leave,
};

// In a Worker of `host.cjs` the module is compiled already, and runs come as messages.
if (inHost) {
  const made = new Promise((resolve) => (globalThis.leanModule.onRuntimeInitialized = resolve));
  made.then(() => globalThis.leanRuntime.keepImage());
  parentPort.on("message", (run) => {
    streams = run.streams;
    made.then(() => {
      globalThis.leanRuntime.restoreImage();
      enter(run.environment, run.argv);
      globalThis.leanRun = { roots: JSON.parse(run.environment.LEAN_ENGINE_ROOTS), streams };
      globalThis.leanRuntime.run(run.argv);
    });
  });
  globalThis.leanModule.noInitialRun = true;
  globalThis.leanModule.wasmMemory = workerData.memory;
  globalThis.leanModule.instantiateWasm = (imports, receive) =>
    receive(new WebAssembly.Instance(workerData.wasm, imports), workerData.wasm);
  for (const name of ["print", "printErr"])
    globalThis.leanModule[name] = (...words) => writeAll(2, words.join(" ") + "\n");
}

const parent = Number(setting("PARENT"));
if (parent)
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
  }, 500).unref();

process.argv[1] = "/engine/bin/lean"; // what Lean takes for its own path
require("./glue.cjs").run();
