"use strict";
// Runs Lean many times in one process.  Run as: node [flags] host.cjs
//
// Every run is a Worker with a WebAssembly memory, an instance and threads of its own: it shares nothing with
// other runs but the compiled code, which V8 keeps once per process.  So the module is read once, and
// what V8 optimises while one file is elaborated serves all the others.
//
// On stdin comes one JSON object a line: {"id", "arguments", "environment", "stdout", "stderr"} starts a run whose
// output goes to those files, {"stop": id} breaks it off.  On stdout goes {"id", "code", "asked"} when a run is
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

const runs = new Map();

// A run's memory is wiped and handed to the next one: the system need not give out its pages again.
const PAGES = { initial: 256, maximum: 32768, shared: true };
const KEPT_BYTES = 768 << 20;
const spare = [];
function freshMemory() {
  const memory = spare.pop();
  if (!memory) return new WebAssembly.Memory(PAGES);
  memory.grow(0); // this thread sees all that others have added
  new Uint8Array(memory.buffer).fill(0);
  return memory;
}

function start({ id, arguments: argv, environment, stdout, stderr }) {
  const streams = [stdout, stderr].map((file) => fs.openSync(file, "a"));
  const memory = freshMemory();
  const worker = new Worker(path.join(__dirname, "loader.cjs"), {
    argv,
    env: { ...environment, LEAN_ENGINE_STREAMS: JSON.stringify([-1, ...streams]) },
    workerData: { wasm, memory },
    resourceLimits: { stackSizeMb: 8 },
  });
  runs.set(id, worker);
  const asked = [];
  worker.on("message", (message) => typeof message?.asked === "string" && asked.push(message.asked));
  worker.on("error", (error) => fs.writeSync(streams[1], `@fatal ${String(error).replace(/\s+/g, " ")}\n`));
  worker.on("exit", (code) => {
    runs.delete(id);
    if (memory.buffer.byteLength <= KEPT_BYTES) spare.push(memory);
    streams.forEach((stream) => fs.closeSync(stream));
    fs.writeSync(1, JSON.stringify({ id, code, asked }) + "\n");
  });
}

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const request = JSON.parse(line);
    if ("stop" in request) runs.get(request.stop)?.terminate();
    else start(request);
  })
  .on("close", () => process.exit(0));
