
// Addresses of Lean's 201,110 symbols.  The published module exports each as a JavaScript object, in every
// thread; ours has them in symbols.bin: an open-addressing hash table of (crc32, adler32, address), little
// endian, address 0 = empty.  Lean's interpreter asks through dlsym.
var leanSymbolTable, leanCrcTable;
function leanLoadSymbols() {
  var bytes = require("fs").readFileSync(__dirname + "/symbols.bin");
  leanSymbolTable = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  leanCrcTable = new Int32Array(256);
  for (var n = 0; n < 256; n++) {
    var c = n;
    for (var k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    leanCrcTable[n] = c;
  }
}
// The address of the zero-terminated name that starts at `pointer` in `heap`, or 0.
function leanSymbolAddress(heap, pointer) {
  if (!leanSymbolTable) leanLoadSymbols();
  var crc = -1, a = 1, b = 0, byte;
  while ((byte = heap[pointer++])) {
    crc = leanCrcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
    a += byte;
    if (a >= 65521) a -= 65521;
    b += a;
    if (b >= 65521) b -= 65521;
  }
  crc = (crc ^ -1) >>> 0;
  var adler = ((b << 16) | a) >>> 0, mask = leanSymbolTable.length / 3 - 1, address;
  for (var slot = crc & mask; (address = leanSymbolTable[3 * slot + 2]); slot = (slot + 1) & mask)
    if (leanSymbolTable[3 * slot] === crc && leanSymbolTable[3 * slot + 1] === adler) return address;
  return 0;
}
function leanAddressOf(name) {
  return leanSymbolAddress(Buffer.from(name + "\0"), 0);
}
// Fill the global offset table; the published code walks all exports for it.
function leanResolveGlobals() {
  for (var name in GOT) {
    var entry = GOT[name];
    if (entry.value == -1) {
      var address = leanAddressOf(name);
      if (address) entry.value = address;
    }
  }
}
