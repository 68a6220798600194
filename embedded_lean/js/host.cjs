"use strict";
// Runs Lean many times in one process.  Run as: node [flags] host.cjs
//
// Simultaneous runs have separate instances: each a Worker with its own WebAssembly memory and threads.
// They share the compiled code, which V8 keeps once per process.  So the module is read once, and what V8 optimises
// while one file is elaborated serves all the others.  A later run reuses an earlier one's instance,
// with its memory restored (see `image.js`).
//
// On stdin comes one JSON object a line: {"id", "arguments", "environment", "stdout", "stderr"} starts a run whose
// output goes to those files, {"stop": id} stops it.  On stdout goes {"id", "code", "asked"} when a run is
// over; `asked` are the paths of the project that the run asked for.
const fs = require("fs");
const path = require("path");
const { Worker, setEnvironmentData } = require("worker_threads");

const parent = Number(process.env.LEAN_ENGINE_PARENT);
if (parent)
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
  }, 500).unref();

const wasm = new WebAssembly.Module(fs.readFileSync(path.join(process.env.LEAN_ENGINE_HOME, "lean.wasm")));
require("./glue.cjs").keep();
setEnvironmentData("library", library());

// The mode of each file and folder of Lean's library, by its path: Lean looks at thousands of them in each run.
function library() {
  const modes = new Map();
  const list = (folder, place) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      modes.set(place + entry.name, entry.isDirectory() ? 0o40555 : 0o100444);
      if (entry.isDirectory()) list(path.join(folder, entry.name), `${place}${entry.name}/`);
    }
  };
  list(JSON.parse(process.env.LEAN_ENGINE_ROOTS)[0][1], "");
  return modes;
}

const PAGES = { initial: 256, maximum: 32768, shared: true };
const KEPT_BYTES = 1536 << 20;
const MOST_IDLE = 2; // instances that wait for a run
const running = new Map(); // instances by the id of their run
const idle = [];
let ending = 0; // instances whose run is over and that may become ready
const waiting = []; // requests for these

function start(request) {
  const instance = idle.pop();
  if (instance) instance.start(request);
  else if (ending > waiting.length) waiting.push(request);
  else newInstance().start(request);
}

function stop(id) {
  running.get(id)?.stop();
  const index = waiting.findIndex((request) => request.id === id);
  if (index < 0) return;
  waiting.splice(index, 1);
  answer({ id, asked: [] }, 1);
}

const answer = ({ id, asked }, code) => fs.writeSync(1, JSON.stringify({ id, code, asked }) + "\n");

function newInstance() {
  const memory = new WebAssembly.Memory(PAGES);
  let run, worker;
  const clear = () => {
    run.descriptors.forEach((descriptor) => fs.closeSync(descriptor));
    run = undefined;
  };
  const end = (code) => {
    running.delete(run.id);
    run.over = true;
    answer(run, code);
  };
  const instance = {
    start({ id, arguments: argv, environment, stdout, stderr }) {
      const descriptors = [stdout, stderr].map((file) => fs.openSync(file, "a"));
      run = { id, descriptors, asked: [], over: false };
      running.set(id, instance);
      worker ??= open(argv, environment);
      worker.postMessage({ argv, environment, streams: [-1, ...descriptors] });
    },
    stop: () => worker.terminate(),
  };
  const open = (argv, env) => {
    const opened = new Worker(path.join(__dirname, "loader.cjs"), {
      argv,
      env,
      workerData: { wasm, memory },
      resourceLimits: { stackSizeMb: 8 },
    });
    opened.on("message", ({ asked, ended, ready }) => {
      if (asked !== undefined) run?.asked.push(asked);
      if (ended !== undefined && run?.over === false) {
        ending++;
        end(ended);
      }
      if (ready !== undefined) {
        ending--;
        clear();
        const next = waiting.shift();
        if (ready > KEPT_BYTES || (!next && idle.length >= MOST_IDLE)) {
          opened.terminate();
          if (next) start(next);
        } else if (next) instance.start(next);
        else idle.push(instance);
      }
    });
    opened.on("error", (error) => {
      if (run) fs.writeSync(run.descriptors[1], `@fatal ${String(error).replace(/\s+/g, " ")}\n`);
    });
    opened.on("exit", (code) => {
      if (idle.includes(instance)) idle.splice(idle.indexOf(instance), 1);
      setImmediate(gc); // V8 does not know how much a memory weighs that nothing uses any more
      if (!run) return;
      if (run.over) ending--;
      else end(code);
      clear();
      if (waiting.length > ending) start(waiting.shift());
    });
    return opened;
  };
  return instance;
}

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const request = JSON.parse(line);
    if ("stop" in request) stop(request.stop);
    else start(request);
  })
  .on("close", () => process.exit(0));
