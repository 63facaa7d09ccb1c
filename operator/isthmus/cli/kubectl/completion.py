"""Completion: scripts for the shells, and the program by which kubectl completes `kubectl isthmus`."""

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

SCRIPT = "kubectl-isthmus"
VARIABLE = "_KUBECTL_ISTHMUS_COMPLETE"
_NO_FILES = ":4"  # cobra's word for it


class Shell(StrEnum):
    """Shells that completion is known for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print the completion script of kubectl-isthmus for a shell.

    Completion of kubectl isthmus comes with kubectl's own, which calls kubectl_complete-isthmus.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # it has it, unexported

    print(get_completion_script(prog_name=SCRIPT, complete_var=VARIABLE, shell=shell.value))


def prepare() -> None:
    """Let the command line answer a shell that asks for proposals."""
    if VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]  # as above

        completion_init()


def asked(arguments: Sequence[str]) -> dict[str, str]:
    """The variables by which proposals for the last of the arguments are asked for, with a word of help on each."""
    done, incomplete = arguments[:-1], arguments[-1] if arguments else ""
    words = " ".join(shlex.quote(each) for each in (SCRIPT, *done))
    line = f"{words} {shlex.quote(incomplete) if incomplete else ''}"
    return {VARIABLE: "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": line}


def complete() -> None:
    """`kubectl_complete-isthmus`: proposals as kubectl reads them, one a line, and last that no files are meant."""
    os.environ.update(asked(sys.argv[1:]))
    from .main import run

    proposed = io.StringIO()
    with (
        contextlib.redirect_stdout(proposed),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(SystemExit),
    ):
        run([])
    print(*filter(None, proposed.getvalue().splitlines()), _NO_FILES, sep="\n")
