"use strict";
// Calls functions of a module that `invoke_module` wrote, and says what came back.  Run as: node calls.cjs invoke.wasm
const fs = require("fs");

// A function of WebAssembly that calls `call`: (module (import "e" "f" (func ...)) (export "f" (func 0)))
function wrap(call, [result, ...rest]) {
  const code = { i: 127, j: 126 }, results = result === "v" ? [] : [code[result]];
  const type = [1, 0x60, rest.length, ...rest.map((l) => code[l]), results.length, ...results];
  const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, type.length, ...type];
  const bytes = [...head, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0];
  return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)), { e: { f: call } }).exports.f;
}
let pointer = 1000, cpp = false;
const threw = [];
const js = {
  caught: () => (cpp ? ((cpp = false), 1) : 0),
  invoke_iii: (...given) => `js ${given}`.length,
  invoke_jj: () => -5n,
  invoke_v: () => {},
};
const compiled = new WebAssembly.Module(fs.readFileSync(process.argv[2]));
const { __indirect_function_table: table, ...call } = new WebAssembly.Instance(compiled, { js }).exports;
const functions = [
  wrap(() => pointer, "i"),
  wrap((to) => void (pointer = to), "vi"),
  wrap((a, b) => void threw.push([a, b]), "vii"),
  wrap((a, b) => a - b, "iii"),
  wrap(() => ((pointer = 5), (cpp = true), (() => { throw 77; })()), "iii"),
  wrap(() => { throw new Error("not ours"); }, "iii"),
  wrap((a) => a + 1n, "jj"),
  wrap(() => ((cpp = true), (() => { throw 78; })()), "jj"),
];
functions.forEach((f, index) => table.set(index + 1, f));
const said = [call.invoke_iii(4, 9, 2), call.invoke_iii(5, 0, 0), pointer, [...threw]];
said.push(String(call.invoke_jj(7, 41n)), String(call.invoke_jj(8, 41n)), threw.length);
try { call.invoke_iii(6, 0, 0); said.push("nothing thrown"); } catch (e) { said.push(e.message); }
said.push(threw.length, call.invoke_iii(1, 20, 30), String(call.invoke_jj(300, 1n)));
console.log(JSON.stringify(said));
