"""Edits of the engine's WebAssembly module, `lean.wasm`.

The published module exports 201,110 symbols, because Lean's interpreter looks them up by name;
Node.js then makes as many JavaScript objects in every thread, which takes minutes. `trim_module`

* puts every exported function that has no slot in the function table into it (element segment 0),
* drops all exports except those that the JavaScript glue mentions,
* returns the table `symbols.bin`, from hash of a name to its address, that the patched `dlsym`
  reads,
* takes the table of functions, and the `invoke_` functions, from `invoke.wasm`, which it returns,
* and changes two places of its code, `EDITS`.

All of it works on the binary format (WebAssembly 1.0, section layout).  Anything unexpected raises
`PatchError`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Container
from dataclasses import dataclass

from bridge.engine.errors import PatchError
from embedded_lean.edit import NOT_KNOWN, Edit
from embedded_lean.invoke import (
    PREFIX,
    STACK_FUNCTIONS,
    TABLE,
    FunctionType,
    StackFunctions,
    invoke_module,
    leb128,
)

__all__ = ["EDITS", "TrimmedModule", "symbol_table", "trim_module"]

_FILE = "lean.wasm"
_MAGIC = b"\0asm\1\0\0\0"
_CUSTOM, _TYPE, _IMPORT, _FUNCTION = 0, 1, 2, 3
_TABLE, _GLOBAL, _EXPORT, _ELEMENT, _CODE = 4, 6, 7, 9, 10
_FUNCTION_KIND, _TABLE_KIND, _MEMORY_KIND, _GLOBAL_KIND = 0, 1, 2, 3


EDITS = (
    # i32.const <address>; i32.const 1; i32.store8
    Edit(
        "the initial value of Lean's `System.Platform.isEmscripten` is false; else each file counts"
        " as a `module`, which hides private declarations and refuses `#print axioms`",
        bytes.fromhex("41e89b3c41013a0000"),
        bytes.fromhex("41e89b3c41003a0000"),
    ),
    # The function `mi_malloc_small`, its length first.  In the new one `_mi_malloc_generic` is
    # asked for cleared memory, and the other memory gets these instructions before it is returned:
    # local.get 2; local.get 0; i32.const 1; i32.sub; i32.const -8; i32.and; i32.add; i32.const 0;
    # i32.store.  The store lies in the memory for any size but 0, which no caller asks for.
    Edit(
        "the padding of small objects is cleared: Lean clears the last four bytes of an object of "
        "8 n bytes, but its fields may end up to seven before; else three bytes of what was there "
        "before get into compiled modules, and no two are the same",
        bytes.fromhex(
            "4a01037f238e022802602203200041036a417c716a2802c0012201280210220245044020032000"
            "4100410010c2cf080f0b20012002280200360210200120012f011841016a3b011820020b"
        ),
        bytes.fromhex(
            "5a01037f238e022802602203200041036a417c716a2802c0012201280210220245044020032000"
            "4101410010c2cf080f0b20012002280200360210200120012f011841016a3b0118"
            "2002200041016b4178716a410036020020020b"
        ),
    ),
)

_SYMBOL_BITS = 19
_TABLE_HEADROOM = 4096
# Exports that the patched glue calls although the published glue does not mention them.
_ALSO_KEEP = frozenset({"pthread_create"})


@dataclass(frozen=True, slots=True)
class TrimmedModule:
    """The module with few exports, the symbol table that replaces them, and `invoke.wasm`."""

    module: bytes
    symbols: bytes
    invoke: bytes


def trim_module(data: bytes, mentioned: Container[str]) -> TrimmedModule:
    """Trim the published module; `mentioned` are the names that the JavaScript glue uses.

    Raises:
        PatchError: the module is not laid out as expected.
    """
    _expect(data[:8] == _MAGIC, f"it starts with {data[:8].hex()}, not as WebAssembly 1")
    sections = _sections(data)
    body = {s.kind: s for s in sections if s.kind != _CUSTOM}
    code = data[body[_CODE].start : body[_CODE].end]
    for edit in EDITS:
        code = edit.applied(code, _FILE)
    linking = data[sections[0].start : sections[0].end]  # dylink.0 names what must stay exported

    imports = _imports(_Reader(data, body[_IMPORT]))
    imported_globals = sum(entry.kind == _GLOBAL_KIND for entry in imports)
    global_values = _global_values(_Reader(data, body[_GLOBAL]))
    elements = _elements(_Reader(data, body[_ELEMENT]))
    limits, minimum = _table(_Reader(data, body[_TABLE]))
    _expect(minimum > len(elements), f"the table has {minimum} slots for {len(elements)} functions")

    slot: dict[int, int] = {}
    for position, function in enumerate(elements):
        slot.setdefault(function, position + 1)
    kept: list[bytes] = []
    symbols: list[tuple[bytes, int]] = []
    for entry in _exports(_Reader(data, body[_EXPORT])):
        address = 0
        if entry.kind == _FUNCTION_KIND:
            if entry.index not in slot:
                elements.append(entry.index)
                slot[entry.index] = len(elements)
            address = slot[entry.index]
        elif entry.kind == _GLOBAL_KIND:
            address = global_values[entry.index - imported_globals]
        if address:
            symbols.append((entry.name, address))
        text = entry.name.decode()
        if (
            entry.kind == _TABLE_KIND
            or text in mentioned
            or "_" + text in mentioned
            or text in _ALSO_KEEP
            or entry.name in linking
        ):
            kept.append(entry.encode())

    size = max(minimum, len(elements) + 1)
    table = b"\x70" + bytes([limits]) + leb128(size)
    if limits & 1:
        table += leb128(size + _TABLE_HEADROOM)
    section = body[_IMPORT]
    listed = data[section.start + len(leb128(len(imports))) : section.end]
    changed = {
        _IMPORT: leb128(len(imports) + 1)
        + listed
        + b"\x03env"
        + leb128(len(TABLE))
        + TABLE
        + bytes([_TABLE_KIND])
        + table,
        _TABLE: b"\0",
        _EXPORT: leb128(len(kept)) + b"".join(kept),
        _ELEMENT: b"\1\0\x41\x01\x0b" + leb128(len(elements)) + b"".join(map(leb128, elements)),
        _CODE: code,
    }
    parts = [_MAGIC]
    for section in sections:
        content = changed.get(section.kind)
        if content is None:
            parts.append(data[section.offset : section.end])
        else:
            parts.append(bytes([section.kind]) + leb128(len(content)) + content)
    kinds = _function_types(data, body, imports)
    names = [entry.name for entry in imports if entry.name.startswith(PREFIX)]
    places = dict(symbols)
    missing = [name for name in STACK_FUNCTIONS if name not in places]
    _expect(not missing, f"the functions {missing} are missing")
    stack = StackFunctions(*(places[name] for name in STACK_FUNCTIONS))
    slots = [kinds[function] for function in elements]
    invoke = invoke_module(names, stack, b"\x01" + table, slots)
    return TrimmedModule(b"".join(parts), symbol_table(symbols, _SYMBOL_BITS), invoke)


def symbol_table(symbols: list[tuple[bytes, int]], bits: int) -> bytes:
    """Open-addressing hash table with 2**bits entries (crc32, adler32, address), little endian.

    An address of 0 marks an empty entry.  Two names with the same pair of hashes cannot be
    distinguished and raise `PatchError`.
    """
    mask = (1 << bits) - 1
    table: list[tuple[int, int, int] | None] = [None] * (mask + 1)
    _expect(len(symbols) < mask, f"{len(symbols)} symbols do not fit into {mask + 1} entries")
    seen: set[tuple[int, int]] = set()
    for name, address in symbols:
        key = zlib.crc32(name), zlib.adler32(name)
        _expect(key not in seen, f"two symbols have the hash of {name!r}")
        seen.add(key)
        position = key[0] & mask
        while table[position] is not None:
            position = (position + 1) & mask
        table[position] = (*key, address)
    pack = struct.Struct("<III").pack
    return b"".join(pack(*(entry or (0, 0, 0))) for entry in table)


@dataclass(frozen=True, slots=True)
class _Section:
    """A section: `offset` is where its header starts, `start` to `end` is its content."""

    kind: int
    offset: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Export:
    name: bytes
    kind: int
    index: int

    def encode(self) -> bytes:
        return leb128(len(self.name)) + self.name + bytes([self.kind]) + leb128(self.index)


class _Reader:
    """Reads numbers and names from one section."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, section: _Section) -> None:
        self.data, self.at, self.end = data, section.start, section.end

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def unsigned(self) -> int:
        """An unsigned LEB128 number."""
        result = shift = 0
        data, at = self.data, self.at
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                self.at = at
                return result

    def signed(self) -> int:
        """A signed LEB128 number."""
        start = self.at
        result = self.unsigned()
        bits = 7 * (self.at - start)
        return result - (1 << bits) if self.data[self.at - 1] & 64 else result

    def name(self) -> bytes:
        length = self.unsigned()
        self.at += length
        return self.data[self.at - length : self.at]

    def finish(self) -> None:
        _expect(self.at == self.end, f"a section ends at {self.end}, its content at {self.at}")


def _sections(data: bytes) -> list[_Section]:
    reader = _Reader(data, _Section(_CUSTOM, 0, len(_MAGIC), len(data)))
    found = []
    while reader.at < len(data):
        offset, kind = reader.at, reader.byte()
        size = reader.unsigned()
        found.append(_Section(kind, offset, reader.at, reader.at + size))
        reader.at += size
    reader.finish()
    _expect(bool(found) and found[0].kind == _CUSTOM, "it does not start with a dylink section")
    needed = {_TYPE, _IMPORT, _FUNCTION, _TABLE, _GLOBAL, _EXPORT, _ELEMENT, _CODE}
    missing = needed - {s.kind for s in found}
    _expect(not missing, f"sections {sorted(missing)} are missing")
    return found


@dataclass(frozen=True, slots=True)
class _Import:
    """An import; `type` is the index of a function's type."""

    name: str
    kind: int
    type: int = 0


def _imports(reader: _Reader) -> list[_Import]:
    found = []
    for _ in range(reader.unsigned()):
        module, name, kind = reader.name(), reader.name(), reader.byte()
        place = reader.unsigned() if kind == _FUNCTION_KIND else 0
        found.append(_Import(name.decode(), kind, place))
        if kind == _FUNCTION_KIND:
            continue
        if kind == _MEMORY_KIND:
            flags = reader.byte()
            reader.unsigned()
            if flags & 1:
                reader.unsigned()
        elif kind == _GLOBAL_KIND:
            reader.at += 2
            _expect(module in (b"GOT.func", b"GOT.mem"), f"a global is imported from {module!r}")
        else:
            _expect(False, f"an import has kind {kind}")
    reader.finish()
    return found


def _function_types(
    data: bytes, body: dict[int, _Section], imports: list[_Import]
) -> list[FunctionType]:
    """The type of each function, the imported ones first."""
    reader = _Reader(data, body[_TYPE])
    types: list[FunctionType] = []
    for _ in range(reader.unsigned()):
        _expect(reader.byte() == 0x60, "a type is not that of a function")
        arguments = tuple(reader.byte() for _ in range(reader.unsigned()))
        types.append((arguments, tuple(reader.byte() for _ in range(reader.unsigned()))))
    reader.finish()
    reader = _Reader(data, body[_FUNCTION])
    own = [types[reader.unsigned()] for _ in range(reader.unsigned())]
    reader.finish()
    return [types[i.type] for i in imports if i.kind == _FUNCTION_KIND] + own


def _global_values(reader: _Reader) -> list[int]:
    """Initial values of the module's own globals, as unsigned addresses."""
    values = []
    for _ in range(reader.unsigned()):
        kind, _mutable, opcode = reader.byte(), reader.byte(), reader.byte()
        _expect((kind, opcode) == (0x7F, 0x41), f"a global has type {kind} and opcode {opcode}")
        values.append(reader.signed() & 0xFFFFFFFF)
        _expect(reader.byte() == 0x0B, "the initialiser of a global has more than one instruction")
    reader.finish()
    return values


def _elements(reader: _Reader) -> list[int]:
    """Functions of the only element segment, which starts at table slot 1."""
    head = reader.data[reader.at : reader.at + 5]
    _expect(head == b"\1\0\x41\x01\x0b", f"the element section starts with {head.hex()}")
    reader.at += 5
    functions = [reader.unsigned() for _ in range(reader.unsigned())]
    reader.finish()
    return functions


def _table(reader: _Reader) -> tuple[int, int]:
    """Flags and minimal size of the only table."""
    head = reader.data[reader.at : reader.at + 2]
    limits = reader.data[reader.at + 2]
    _expect(head == b"\1\x70" and limits in (0, 1), f"the table section starts with {head.hex()}")
    reader.at += 3
    return limits, reader.unsigned()


def _exports(reader: _Reader) -> list[_Export]:
    found = [
        _Export(reader.name(), reader.byte(), reader.unsigned()) for _ in range(reader.unsigned())
    ]
    reader.finish()
    return found


def _expect(condition: bool, finding: str) -> None:
    if not condition:
        raise PatchError(f"{_FILE}: {finding}", remedy=NOT_KNOWN)
