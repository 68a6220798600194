"""Writes `invoke.wasm`: calls that may throw, in WebAssembly.

Lean's C++ was compiled for exceptions of JavaScript: each call that may throw goes through a
JavaScript function `invoke_<signature>(index, arguments...)`, which calls an entry of the table of
functions, and notes if that throws.  Leaving WebAssembly and returning took a sixth of the time
that Lean needs to elaborate a file.  Here these functions are WebAssembly, too, which V8 calls
directly; JavaScript still throws the exceptions.

A few functions are called with another number of arguments than they have, which JavaScript accepts
and WebAssembly does not.  So the module knows the types of the table's functions, and leaves a call
that does not fit to the JavaScript function of the same name.

The module makes the table of functions, which Lean's module imports, and exports one function for
each signature.  A letter of a signature is a type, the first one of the result: `v` none, `i` and
`p` i32, `j` i64, `f` f32, `d` f64.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "PREFIX",
    "STACK_FUNCTIONS",
    "TABLE",
    "FunctionType",
    "StackFunctions",
    "invoke_module",
    "leb128",
]

PREFIX = "invoke_"
TABLE = b"__indirect_function_table"
STACK_FUNCTIONS = (b"emscripten_stack_get_current", b"_emscripten_stack_restore", b"setThrew")
_I32 = 0x7F
_TYPES = {"i": _I32, "p": _I32, "j": 0x7E, "f": 0x7D, "d": 0x7C}
_NO_TYPE = 0x40
_PAGE, _ROOM = 1 << 16, 1 << 16  # of memory; for what JavaScript adds to the table
_ZERO = {0x7F: b"\x41\0", 0x7E: b"\x42\0", 0x7D: b"\x43" + bytes(4), 0x7C: b"\x44" + bytes(8)}

FunctionType = tuple[tuple[int, ...], tuple[int, ...]]
"""The types of a function's arguments, and of its results, each as WebAssembly's byte."""


@dataclass(frozen=True, slots=True)
class StackFunctions:
    """Indices of `STACK_FUNCTIONS`: they read the stack pointer, set it, and note a throw."""

    save: int
    restore: int
    set_threw: int


def invoke_module(
    names: Sequence[str], stack: StackFunctions, table: bytes, slots: Sequence[FunctionType]
) -> bytes:
    """The module with a function for each of `names`.

    It imports the functions of the same names from `js`, and `js.caught`, which says whether an
    exception is one of C++: only these end here, all others are rethrown.

    Args:
        names: `invoke_<signature>`.
        stack: the indices of Lean's functions for the stack.
        table: the type of the table of functions, as in the table section.
        slots: the type of each function in the table, from index 1 on.
    """
    types = _Types()
    signatures = [_signature(name) for name in names]
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(signatures), start=1)}
    fitting = bytes([0, *(numbers.get(kind, 0) for kind in slots)])
    save, restore, threw = (
        _call(types.index((), (_I32,)), stack.save),
        _call(types.index((_I32,), ()), stack.restore),
        _call(types.index((_I32, _I32), ()), stack.set_threw),
    )
    caught = types.index((), (_I32,))
    imports = [_imported(b"caught", caught)]
    functions, bodies, exports = [], [], [_sized(TABLE) + b"\x01\x00"]
    for place, (name, signature) in enumerate(zip(names, signatures, strict=True)):
        arguments, results = signature
        own = types.index((_I32, *arguments), results)
        pointer = leb128(len(arguments) + 1)  # a local: the stack pointer before the call
        passed = b"".join(b"\x20" + leb128(1 + n) for n in range(len(arguments)))
        body = (
            *(b"\x01\x01\x7f", b"\x20\x00\x2d\x00\x00"),  # the byte of this entry
            *(b"\x41", _signed(numbers[signature]), b"\x47\x04\x40"),  # if it is another type
            *(b"\x20\x00", passed, b"\x10", leb128(1 + place), b"\x0f\x0b"),  # leave it to js
            *(save, b"\x21", pointer),
            *(b"\x06", bytes(results or (_NO_TYPE,))),  # try
            *(passed, b"\x20\x00\x11", leb128(types.index(arguments, results)), b"\x00"),
            b"\x19\x10\x00\x45\x04\x40\x09\x01\x0b",  # catch_all: if not caught(), rethrow
            *(b"\x20", pointer, restore, b"\x41\x01\x41\x00", threw),
            *(_ZERO[kind] for kind in results),
            b"\x0b\x0b",
        )
        imports.append(_imported(name.encode(), own))
        functions.append(leb128(own))
        exports.append(_sized(name.encode()) + b"\x00" + leb128(1 + len(names) + place))
        bodies.append(_sized(b"".join(body)))
    pages = (len(fitting) + _ROOM) // _PAGE + 1
    sections = (
        (1, _vector(types.encoded)),
        (2, _vector(imports)),
        (3, _vector(functions)),
        (4, table),
        (5, _vector([b"\x00" + leb128(pages)])),
        (7, _vector(exports)),
        (10, _vector(bodies)),
        (11, _vector([b"\x00\x41\x00\x0b" + _sized(fitting)])),
    )
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind]) + _sized(text) for kind, text in sections)


def leb128(number: int) -> bytes:
    """An unsigned number as WebAssembly writes it."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


class _Types:
    """The requested types of functions, each once."""

    def __init__(self) -> None:
        self._places: dict[FunctionType, int] = {}

    def index(self, arguments: tuple[int, ...], results: tuple[int, ...]) -> int:
        return self._places.setdefault((arguments, results), len(self._places))

    @property
    def encoded(self) -> list[bytes]:
        return [b"\x60" + _vector(map(_byte, a)) + _vector(map(_byte, r)) for a, r in self._places]


def _signature(name: str) -> FunctionType:
    letters = name.removeprefix(PREFIX)
    results = () if letters[0] == "v" else (_TYPES[letters[0]],)
    return tuple(_TYPES[letter] for letter in letters[1:]), results


def _imported(name: bytes, kind: int) -> bytes:
    return _sized(b"js") + _sized(name) + b"\x00" + leb128(kind)


def _call(kind: int, place: int) -> bytes:
    """Call the function at index `place` of the table."""
    return b"\x41" + _signed(place) + b"\x11" + leb128(kind) + b"\x00"


def _signed(number: int) -> bytes:
    """A number in code, which is signed, so that it has a bit more."""
    encoded = leb128(number)
    return encoded if encoded[-1] < 64 else encoded[:-1] + bytes([encoded[-1] | 128, 0])


def _byte(value: int) -> bytes:
    return bytes([value])


def _vector(parts: Iterable[bytes]) -> bytes:
    listed = list(parts)
    return leb128(len(listed)) + b"".join(listed)


def _sized(content: bytes) -> bytes:
    return leb128(len(content)) + content
