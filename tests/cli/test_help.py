"""Help for users who do not know the command line yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bridge.auditing import audit as auditing
from bridge.cli.main import group
from bridge.engine import LeanMessage
from tests.cli.conftest import Harness
from tests.cli.parsing import leaf, parse


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from leaves(child, (*path, name))
    else:
        yield path


LEAVES = list(leaves(group))


def examples(path: tuple[str, ...]) -> list[str]:
    text = (leaf(path).help or "").partition("\b")[2]
    return [line.strip() for line in text.split("\n")[1:] if line.strip()]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_shows_examples_that_it_understands(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = examples(path)
    assert lines, f"add an example to the help of `obligations {' '.join(path)}`, after a \\b"
    for line in lines:
        parse(line)
        assert f"obligations {' '.join(path)}" in line


def test_an_example_that_is_wrong_is_noticed() -> None:
    with pytest.raises(click.UsageError):
        parse("obligations audit --sed 3")


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command = leaf(path)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.opts}"
    assert command.help
    assert command.help.partition("\n")[0].endswith(".")


def test_an_option_before_its_command_is_explained() -> None:
    result = CliRunner().invoke(group, ["--engine", "lake", "build"], prog_name="obligations")
    assert result.exit_code == 2
    assert "as in `obligations audit --engine …`" in " ".join(result.stderr.split())


def test_commands_are_in_the_order_of_a_session() -> None:
    text = CliRunner().invoke(group, ["--help"]).stdout
    lines = text.partition("Commands:")[2].partition("\n\n")[0].splitlines()
    names = [line.split()[0] for line in lines if line[:2] == "  " and line[2:3].isalpha()]
    assert names == list(group.commands)
    assert "..." not in " ".join(lines)


def test_an_unwritable_report_folder_is_reported_before_the_work(
    harness: Harness, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    harness.behaves(mode="dies-at-start")
    result = harness.run("audit", "--output", str(tmp_path / "file" / "reports"))
    assert result.exit_code == 2
    assert "--output" in result.stderr
    assert "→ name a folder that can be written to" in result.stderr


def test_a_mistake_of_ours_is_not_a_verdict(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(auditing, "parse_graphs", broken)
    result = harness.run("audit")
    assert result.exit_code == 3
    assert "this is a bug in lean-obligations" in result.stderr
    assert "ZeroDivisionError: oh" in result.stderr


def test_a_full_disk_is_not_a_verdict(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(auditing, "parse_graphs", full)
    result = harness.run("audit")
    assert result.exit_code == 2
    assert "error: somewhere: No space left on device" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("graph", "layerNormGrap"), "did you mean layerNormGraph?"),
        (("graph", "Xyzzy"), "`obligations graph` lists them"),
        (("show", "layernorm_eval"), "did you mean layerNorm_eval"),
        (("audit", "--only", "layerNorm_eval:conclusio"), "did you mean layerNorm_eval:conclusion"),
        (
            (
                "replay",
                "layerNorm_eval:conclusion",
                "--seed",
                "0",
                "--family",
                "genric",
                *["--index", "0"],
            ),
            "did you mean generic",
        ),
        (("audit", "--instance", "3"), "--instances"),
        (("audit", "--engine", "lak"), "'lake'"),
        (("audit", "layerNorm_eval"), "Did you mean --only layerNorm_eval?"),
        (("list", "a", "b"), "Did you mean --only a?"),
        (("audit", "--jobs", "many"), "expected a number of processes or auto but got 'many'"),
        (("audit", "--jobs", "0"), "or auto but got '0'"),
    ],
)
def test_the_intended_name_is_suggested(
    harness: Harness, arguments: tuple[str, ...], expected: str
) -> None:
    result = harness.run(*arguments)
    assert result.exit_code == 2
    assert expected in " ".join(result.stderr.split())


def test_a_project_with_nothing_tagged_learns_how_to_begin(harness: Harness) -> None:
    harness.says()
    result = harness.run("list")
    assert result.exit_code == 0
    assert "→ tag a theorem with @[obligation]" in result.stderr


def test_nothing_to_plant_is_not_a_success(harness: Harness) -> None:
    harness.says()
    result = harness.run("mutate")
    assert result.exit_code == 4
    assert "nothing was planted" in result.stderr


def test_a_project_without_our_library_learns_how_to_get_it(harness: Harness) -> None:
    text = "unknown module prefix 'Obligations'\n\nNo directory 'Obligations'"
    harness.behaves(errors=(LeanMessage("Demo.lean", 1, 0, "error", text),))
    result = harness.run("list")
    assert result.exit_code == 3
    assert "`obligations init` puts that library there" in result.stderr
