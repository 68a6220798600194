"""The patches of the published engine: their effect, and what they refuse."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from bridge.engine.errors import PatchError
from embedded_lean import wasm
from embedded_lean.edit import Edit
from embedded_lean.invoke import StackFunctions, invoke_module
from embedded_lean.javascript import EDITS, patch_glue
from embedded_lean.node import find_node
from embedded_lean.wasm import symbol_table, trim_module
from tests.engine.tiny import EXPORTS, module, published, section, text


def test_unused_exports_are_removed_and_the_rest_stays() -> None:
    patched = patch_glue(published())
    assert '_used=Module["_used"]=wasmExports["used"].value' in patched.text
    assert "_unused" not in patched.text
    assert "\xff" in patched.text
    assert "void(1)" in patched.text
    assert "console.log(2)" in patched.text
    assert "_used" in patched.mentioned
    for edit in EDITS:
        assert edit.new in patched.text, edit.why


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.why)
def test_each_edit_needs_its_exact_place(edit: Edit[str]) -> None:
    others = "".join(e.old * e.count for e in EDITS if e is not edit)
    for count in (edit.count - 1, edit.count + 1):
        with pytest.raises(PatchError, match=r"expects \d place\(s\) and found \d") as caught:
            patch_glue(published(edits=others + edit.old * count))
        assert edit.why in str(caught.value)
        assert "--engine lake" in caught.value.remedy


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        (published(exports=EXPORTS + "evil();"), "between the exports is"),
        (published(exports=""), "is missing"),
        (published().replace("var ASM_CONSTS", "var OTHER"), "is missing"),
        (published().replace("var LDSO={", "var OTHER={"), "functions that the edits call"),
        ("", "is missing"),
    ],
)
def test_a_file_that_looks_different_is_refused(source: str, finding: str) -> None:
    with pytest.raises(PatchError, match=finding):
        patch_glue(source)


def test_nothing_from_inside_can_run_code_outside() -> None:
    glue_text = patch_glue(published()).text
    assert "eval(UTF8ToString(ptr))" not in glue_text
    assert "dlopenInternal(handle,{loadAsync:false})" not in glue_text
    assert '{root:"/home"}' not in glue_text


@pytest.fixture(autouse=True)
def small_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wasm, "_SYMBOL_BITS", 4)


def addresses(symbols: bytes) -> dict[int, int]:
    """Address by CRC, from a symbol table."""
    words = memoryview(symbols).cast("I").tolist()
    return {words[i]: words[i + 2] for i in range(0, len(words), 3) if words[i + 2]}


def test_a_module_keeps_mentioned_names_and_gives_the_rest_by_address() -> None:
    trimmed = trim_module(module(), {"_used"})
    assert b"unused" not in trimmed.module
    assert text("used") in trimmed.module
    assert text("keepme") in trimmed.module  # named by the dylink section
    assert text("__indirect_function_table") in trimmed.module
    # function 1 has slot 1; 2 and 3 get the slots behind; the global's value is 65552
    assert sorted(addresses(trimmed.symbols).values()) == [1, 1, 1, 1, 2, 3, 65552]
    assert section(9, b"\1\0\x41\1\x0b\3\1\2\3") in trimmed.module
    assert section(10, b"".join(e.new for e in wasm.EDITS)) in trimmed.module


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        (b"MZ" + module()[2:], "starts with"),
        (module(code=wasm.EDITS[1].old), "isEmscripten.*expects 1 place.* and found 0"),
        (module(code=wasm.EDITS[0].old + 2 * wasm.EDITS[1].old), "padding.*and found 2"),
        (module(table=b"\2\x70\0\5"), "the table section"),
        (module(table=b"\1\x70\0\1"), "slots for 1 functions"),
        (module(element=b"\1\1\x41\1\x0b\1\1"), "the element section"),
        (module(element=b"\1\0\x41\1\x0b\1\1\1"), "a section ends"),
        (module(glob=b"\1\x7f\0\x42\1\x0b"), "a global has"),
        (module(imports=b"\1" + text("env") + text("g") + b"\3\x7f\1"), "a global is imported"),
        (module(imports=b"\1" + text("env") + text("t") + b"\4\0\0"), "an import has kind 4"),
        (module(types=b"\1\x5f\0\0"), "a type is not that of a function"),
        (module(stack=[b"setThrew"]), "_emscripten_stack_restore'] are missing"),
    ],
)
def test_a_module_that_looks_different_is_refused(source: bytes, finding: str) -> None:
    with pytest.raises(PatchError, match=finding):
        trim_module(source, {"_used"})


def test_two_names_with_one_hash_are_refused() -> None:
    with pytest.raises(PatchError, match="two symbols"):
        symbol_table([(b"a", 1), (b"a", 2)], 4)
    with pytest.raises(PatchError, match="do not fit"):
        symbol_table([(bytes([i]), 1) for i in range(16)], 4)


def test_javascript_finds_the_symbols_that_python_wrote(tmp_path: Path) -> None:
    names = [f"l_Lean_Name_{i}" for i in range(200)] + ["ä", "x" * 6000]
    table = symbol_table([(n.encode(), i + 1) for i, n in enumerate(names)], 8)
    (tmp_path / "symbols.bin").write_bytes(table)
    source = files("embedded_lean").joinpath("js", "symbols.js").read_text()
    asked = json.dumps([*names, "absent", ""])
    script = f"{source}\nconsole.log(JSON.stringify({asked}.map(leanAddressOf)))"
    (tmp_path / "ask.cjs").write_text(script, encoding="utf-8")
    answer = subprocess.run(
        [find_node().path, tmp_path / "ask.cjs"], capture_output=True, check=True, timeout=60
    )
    assert json.loads(answer.stdout) == [*range(1, len(names) + 1), 0, 0]


def test_calls_that_may_throw_end_as_in_javascript(tmp_path: Path) -> None:
    names = ["invoke_iii", "invoke_jj", "invoke_v"]
    i, j = 0x7F, 0x7E
    two, long = ((i, i), (i,)), ((j,), (j,))
    slots = [((), (i,)), ((i,), ()), ((i, i), ()), two, two, two, long, long]
    table = b"\1\x70\1\xc0\2\xc0\2"  # 320 places
    content = invoke_module(names, StackFunctions(1, 2, 3), table, slots)
    (tmp_path / "invoke.wasm").write_bytes(content)
    script = Path(__file__).with_name("calls.cjs")
    answer = subprocess.run(
        [find_node().path, script, tmp_path / "invoke.wasm"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    called, caught, pointer, threw, added, zero, throws, foreign, after, left, unknown = json.loads(
        answer.stdout
    )
    assert called == 7
    assert (caught, pointer, threw) == (
        0,
        1000,
        [[1, 0]],
    )  # C++ threw: noted, and the stack is back
    assert (added, zero, throws) == ("42", "0", 2)
    assert (foreign, after) == ("not ours", 2)  # thrown on, and not noted
    assert left == len("js 1,20,30")  # place 1 has another type
    assert unknown == "-5"  # values from JavaScript are left to JavaScript
