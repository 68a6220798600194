
// Lean's `main` runs in a thread of its own, so that the main JavaScript thread stays an event loop: it
// starts and recycles threads and answers file system calls, even while Lean waits for input.
function leanMainPointer() {
  return (leanMainPointer.cached ??= leanAddressOf("__main_argc_argv"));
}
function callMain(args = []) {
  args.unshift(thisProgram);
  var count = args.length, block = _malloc(8 + 4 * (count + 1)), attributes = _malloc(64);
  growMemViews();
  HEAPU8.fill(0, attributes, attributes + 64);
  HEAPU32[attributes >> 2] = globalThis.leanStackBytes; // first field of pthread_attr_t
  HEAPU32[(attributes + 12) >> 2] = 1; // detached: the thread is given back when it ends
  HEAPU32[block >> 2] = count;
  for (var i = 0; i < count; i++) {
    var size = lengthBytesUTF8(args[i]) + 1, text = _malloc(size);
    stringToUTF8(args[i], text, size);
    HEAPU32[((block + 8) >> 2) + i] = text;
  }
  HEAPU32[((block + 8) >> 2) + count] = 0;
  runtimeKeepaliveCounter++;
  globalThis.leanKeepAlive ??= setInterval(() => {}, 1e9);
  var failed = wasmExports["pthread_create"](attributes + 60, attributes, leanMainPointer(), block);
  if (failed) throw new Error("pthread_create: " + failed);
}
// Runs in the thread that `callMain` made.  Where Lean runs more than once, it comes back when all threads that Lean
// had for its tasks have ended.
var leanIsMain = false;
function leanRunMain(block) {
  growMemViews();
  leanIsMain = true;
  try {
    _exit(getWasmTableEntry(leanMainPointer())(HEAPU32[block >> 2], block + 8));
  } catch (e) {
    if (e !== "unwind" || !leanRunsAgain()) throw e;
  }
  leanEndTasks();
  return 0;
}
// Where Lean runs more than once, a thread that leaves without being asked takes all others with it.
function leanLeave(status) {
  if (leanRunsAgain() && !leanIsMain) _proc_exit(status);
  exitOnMainThread(status);
  throw "unwind";
}
// C's stdio buffers belong to the thread that exits; write them out before the process goes.
function leanFlushStreams() {
  try {
    growMemViews();
    var fflush = getWasmTableEntry(leanAddressOf("fflush"));
    for (var name of ["stdout", "stderr"]) fflush(HEAPU32[leanAddressOf(name) >> 2]);
  } catch (e) {}
}
