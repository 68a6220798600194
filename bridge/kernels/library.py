"""The kernel of an official Lean, called in this process through ctypes.

Objects of Lean are plain addresses here.  All objects made here are marked persistent, so that no
references have to be counted: a process checks one export and ends.  Only the environment is
counted, since the kernel consumes it.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["ANONYMOUS", "EMPTY", "ZERO", "LeanLibrary", "RefusedError", "box"]

_OBJECT, _BYTE, _SIZE = c.c_void_p, c.c_uint8, c.c_size_t
# Result, then arguments.  An argument is consumed unless the comment says that it is borrowed.
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "lean_initialize": (None,),
    "lean_io_mark_end_initialization": (None,),
    "lean_init_task_manager": (None,),
    "lean_internal_set_exit_on_panic": (None, _BYTE),
    "lean_mark_persistent": (None, _OBJECT),
    "lean_alloc_object": (_OBJECT, _SIZE),
    "lean_dec_ref_cold": (None, _OBJECT),
    "lean_apply_2": (_OBJECT,) * 4,
    "lean_mk_string_from_bytes": (_OBJECT, c.c_char_p, _SIZE),
    "lean_cstr_to_nat": (_OBJECT, c.c_char_p),
    "lean_name_mk_string": (_OBJECT,) * 3,
    "lean_name_mk_numeral": (_OBJECT,) * 3,
    "lean_level_mk_succ": (_OBJECT,) * 2,
    "lean_level_mk_max": (_OBJECT,) * 3,
    "lean_level_mk_imax": (_OBJECT,) * 3,
    "lean_level_mk_param": (_OBJECT,) * 2,
    "lean_expr_mk_bvar": (_OBJECT,) * 2,
    "lean_expr_mk_sort": (_OBJECT,) * 2,
    "lean_expr_mk_const": (_OBJECT,) * 3,
    "lean_expr_mk_app": (_OBJECT,) * 3,
    "lean_expr_mk_lambda": (*(_OBJECT,) * 4, _BYTE),
    "lean_expr_mk_forall": (*(_OBJECT,) * 4, _BYTE),
    "lean_expr_mk_let": (*(_OBJECT,) * 5, _BYTE),
    "lean_expr_mk_lit": (_OBJECT,) * 2,
    "lean_expr_mk_mdata": (_OBJECT,) * 3,
    "lean_expr_mk_proj": (_OBJECT,) * 4,
    "lean_mk_axiom_val": (*(_OBJECT,) * 4, _BYTE),
    "lean_mk_theorem_val": (_OBJECT,) * 6,
    "lean_mk_opaque_val": (*(_OBJECT,) * 5, _BYTE, _OBJECT),
    "lean_mk_definition_val": (*(_OBJECT,) * 6, _BYTE, _OBJECT),
    "lean_mk_quot_val": (*(_OBJECT,) * 4, _BYTE),
    "lean_mk_inductive_val": (*(_OBJECT,) * 9, _BYTE, _BYTE, _BYTE),
    "lean_mk_constructor_val": (*(_OBJECT,) * 8, _BYTE),
    "lean_mk_recursor_val": (*(_OBJECT,) * 10, _BYTE, _BYTE),
    "lean_mk_reducibility_hints_regular": (_OBJECT, c.c_uint32),
    "lean_mk_inductive_decl": (*(_OBJECT,) * 4, _BYTE),
    "l_Lean_mkEmptyEnvironment": (_OBJECT, c.c_uint32),
    "lean_elab_environment_to_kernel_env": (_OBJECT,) * 2,
    "lean_environment_find": (_OBJECT,) * 3,
    # environment, heartbeats (0: none), recursion depth, declaration and cancel token (borrowed)
    "lean_add_decl": (_OBJECT, _OBJECT, _SIZE, _SIZE, _OBJECT, _OBJECT),
}
# Constructors of `Lean.Kernel.Exception`.
_REFUSALS = (
    *("unknownConstant", "alreadyDeclared", "declTypeMismatch", "declHasMVars", "declHasFVars"),
    *("funExpected", "typeExpected", "letTypeMismatch", "exprTypeMismatch", "appTypeMismatch"),
    *("invalidProj", "thmTypeIsNotProp", "other", "deterministicTimeout", "excessiveMemory"),
    *("deepRecursion", "interrupted"),
)
_DEPTH = 1 << 20
# Name.anonymous, Level.zero, [], none, no metadata: each is a boxed 0.
ANONYMOUS = ZERO = NIL = NONE = EMPTY = 1


class RefusedError(Exception):
    """The kernel does not accept a declaration."""


def box(n: int) -> int:
    """An enumeration's value, or a small number, as an object."""
    return n << 1 | 1


class LeanLibrary:
    """One environment, empty at first.  Make one in a separate process."""

    def __init__(self, path: Path) -> None:
        dll = c.PyDLL(str(path))
        self._f: dict[str, Callable[..., Any]] = {}
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(dll, name)
            function.restype, function.argtypes = result, arguments
            self._f[name.removeprefix("lean_").removeprefix("l_Lean_")] = function
        self._f["initialize"]()
        self._f["io_mark_end_initialization"]()
        self._f["init_task_manager"]()
        self._f["internal_set_exit_on_panic"](1)

        def variable(symbol: str) -> int:
            return int(c.c_void_p.in_dll(dll, symbol).value or 0)

        self.version = self._text(variable("l_Lean_versionString"))
        self._same = variable("l_Lean_instBEqConstantInfo")
        made = self._f["mkEmptyEnvironment"](0)
        if self._tag(made) != 0:
            raise RuntimeError("Lean cannot make an environment")
        self._env: int = self._f["elab_environment_to_kernel_env"](self._field(made, 0))

    def make(self, function: str, *arguments: int | bytes) -> int:
        """The object that one of Lean's own constructor functions makes."""
        made: int = self._f[function](*arguments)
        self._f["mark_persistent"](made)
        return made

    def build(self, tag: int, *fields: int) -> int:
        """A constructor with objects only, for which Lean exports no function."""
        made: int = self._f["alloc_object"](8 + 8 * len(fields))
        # int32 reference count, uint16 size, uint8 number of fields, uint8 constructor; the fields
        header = 1 | (8 + 8 * len(fields)) << 32 | len(fields) << 48 | tag << 56
        (c.c_uint64 * (1 + len(fields))).from_address(made)[:] = [header, *fields]
        self._f["mark_persistent"](made)
        return made

    def list(self, items: Iterable[int]) -> int:
        """A `List`."""
        made = NIL
        for item in reversed([*items]):
            made = self.build(1, item, made)
        return made

    def nat(self, n: int) -> int:
        """A `Nat`."""
        return box(n) if n < 1 << 63 else self.make("cstr_to_nat", str(n).encode())

    def string(self, text: str) -> int:
        """A `String`."""
        data = text.encode()
        return self.make("mk_string_from_bytes", data, len(data))

    def add(self, declaration: int) -> None:
        """Check a `Declaration` and add it.

        Raises:
            RefusedError: it is not accepted; the environment is unchanged.
        """
        self._retain(self._env)
        result = self._f["add_decl"](self._env, 0, _DEPTH, declaration, NONE)
        value = self._field(result, 0)
        if self._tag(result) == 1:
            self._retain(value)
            self._release(result)
            self._release(self._env)
            self._env = value
            return
        kind = _REFUSALS[self._tag(value)]
        raise RefusedError(self._text(self._field(value, 0)) if kind == "other" else kind)

    def holds(self, name: int, constant: int) -> bool:
        """Whether the environment has exactly this `ConstantInfo`, up to names of bound
        variables."""
        self._retain(self._env)
        found = self._f["environment_find"](self._env, name)
        if found & 1:
            return False
        self._retain(self._field(found, 0))
        return bool(self._f["apply_2"](self._same, self._field(found, 0), constant) == box(1))

    @staticmethod
    def _tag(value: int) -> int:
        return value >> 1 if value & 1 else c.c_uint8.from_address(value + 7).value

    @staticmethod
    def _field(value: int, i: int) -> int:
        return c.c_uint64.from_address(value + 8 + 8 * i).value

    @staticmethod
    def _text(value: int) -> str:
        size = c.c_uint64.from_address(value + 8).value
        return c.string_at(value + 32, size - 1).decode()

    @staticmethod
    def _retain(value: int) -> None:
        count = c.c_int32.from_address(value)
        count.value += (count.value > 0) - (count.value < 0)

    def _release(self, value: int) -> None:
        count = c.c_int32.from_address(value)
        if count.value > 1:
            count.value -= 1
        elif count.value != 0:
            self._f["dec_ref_cold"](value)
