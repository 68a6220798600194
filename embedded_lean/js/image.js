// One instance of Lean, many runs.  Making an instance (a thread of JavaScript for each of Lean's, the table of 145,000
// functions in each) takes longer than most files.  So the memory is copied when the instance is ready, and put back
// before the next run; all threads are idle then.  What a run leaves in JavaScript is forgotten in `leanEnterRun`.
var leanImage;
function leanKeepImage() {
  growMemViews();
  leanImage = new BigUint64Array(HEAPU8.slice().buffer);
}
// What lies above C's break was never written.
function leanRestoreImage() {
  growMemViews();
  var end = getWasmTableEntry(leanAddressOf("sbrk"))(0) >>> 0;
  HEAPU64.fill(0n, leanImage.length, Math.max(leanImage.length, Math.ceil(end / 8)));
  HEAPU64.set(leanImage);
}
function leanRunsAgain() {
  return leanDirectIO.run !== undefined;
}
// Has the threads that wait for tasks end.  Lean's own way would free the manager under their feet.
var leanTaskManager = 1535056; // address of the pointer `lean::g_task_manager`, as in `lean_finalize_task_manager`
function leanEndTasks() {
  growMemViews();
  var manager = HEAPU32[leanTaskManager >> 2];
  if (manager) getWasmTableEntry(leanAddressOf("_ZN4lean12task_managerD2Ev"))(manager);
}
// Threads of a run that have not come to their end.  Nobody joins those of Lean's tasks: they are given back here.
function leanThreadsLeft() {
  for (var thread of PThread.finishedThreads) cleanupThread(thread);
  return PThread.runningWorkers.length;
}
// Each thread of a run starts here; `run` is {roots, streams}, see direct_io.js.
function leanEnterRun(run) {
  if (!run) return;
  leanDirectIO.enter(run);
  leanIsMain = false;
  leanThrown = 0;
  exceptionCaught = [];
  exceptionLast = uncaughtExceptionCount = 0;
}

