
// JavaScript functions in the table of functions.  Each of Lean's threads puts some sixty there when it starts, at
// the same places; the published code enlarges the table (145,000 entries) and compiles a module for each of them.
function leanGrowTable() {
  var first = wasmTable["grow"](128);
  for (var index = first + 127; index >= first; index--) freeTableIndexes.push(index);
}
function leanWrapper(signature, bytes) {
  return (leanWrapper.modules ??= {})[signature] ??= new WebAssembly.Module(bytes);
}

// Calls that may throw: see `embedded_lean/invoke.py`.  The functions of invoke.wasm take the place of those of
// the same name; they ask `caught` whether it was C++ that threw.
var leanThrown = 0;
function leanImportInvokes() {
  var module = new WebAssembly.Module(require("fs").readFileSync(__dirname + "/invoke.wasm"));
  var caught = () => {
    var thrown = leanThrown;
    leanThrown = 0;
    return thrown;
  };
  Object.assign(wasmImports, new WebAssembly.Instance(module, { js: { ...wasmImports, caught } }).exports);
}
