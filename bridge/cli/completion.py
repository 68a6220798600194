"""Shell completion, with the names of a project's obligations and graphs."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from bridge.errors import ObligationsError
from bridge.lean.known_names import Names, remembered
from bridge.lean.project import find_project
from numeric.instances.families import FAMILIES

__all__ = [
    "complete_families",
    "complete_graphs",
    "complete_keys",
    "complete_names",
    "completion_command",
]

VARIABLE = "_OBLIGATIONS_COMPLETE"


class ColonBash(BashComplete):
    """Completion for bash of words that contain a colon, such as keys.

    bash breaks words at a colon, so click's own script sees a key as three words and repeats the
    part before the colon.  This one reads the line itself and offers the part after the colon.
    """

    name = "bash"
    source_template = r"""%(complete_func)s() {
    local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT} completion type value
    local word=${line##*[[:space:]]}
    local before=${word%%"${word##*:}"}
    if [[ $COMP_WORDBREAKS != *:* || ${2#?} == *:* ]]; then before=; fi
    COMPREPLY=()
    for completion in $(COMP_WORDS=$line %(complete_var)s=bash_complete "$1"); do
        IFS=',' read -r type value <<< "$completion"
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$before"}") ;;
        esac
    done
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words of the line up to the cursor, and the word being typed."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        if line[-1:].isspace() or not words:
            return words, ""
        return words[:-1], words[-1]


add_completion_class(ColonBash)


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print a script that teaches SHELL to complete commands, options, keys and graphs.

    Keys and graphs are those that the last command read; Lean is never started.  For bash the line
    belongs in ~/.bashrc, for zsh in ~/.zshrc after compinit.

    \b
    eval "$(obligations completion bash)"
    eval "$(obligations completion zsh)"
    obligations completion fish > ~/.config/fish/completions/obligations.fish
    """
    root = click.get_current_context().find_root()
    maker = get_completion_class(shell)
    assert maker is not None
    click.echo(maker(root.command, {}, "obligations", VARIABLE).source())


def _names(ctx: click.Context) -> Names:
    try:
        return remembered(find_project(ctx.params.get("project_folder") or Path()).root)
    except (ObligationsError, OSError):
        return Names()


def _starting(values: tuple[str, ...], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(value) for value in values if value.startswith(incomplete)]


def complete_keys(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Keys of obligations."""
    return _starting(_names(ctx).keys, incomplete)


def complete_names(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Theorems; the keys of one if no other begins with the typed text."""
    names = _names(ctx)
    theorems = _starting(names.declarations, incomplete)
    return theorems if len(theorems) > 1 else theorems + _starting(names.keys, incomplete)


def complete_graphs(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of exported graphs."""
    return _starting(_names(ctx).graphs, incomplete)


def complete_families(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Families of instances."""
    return _starting(tuple(FAMILIES), incomplete)
