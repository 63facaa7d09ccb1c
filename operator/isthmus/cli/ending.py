"""How a command of `isthmus` ends that can't be carried out: one line on stderr that says why, and its exit code."""

from typing import NoReturn

import typer

WRONG_USE = 2  # what a wrong option exits with, as typer's own


def fail(command: str, message: str, code: int = 1) -> NoReturn:
    """End the command with the message, on one line."""
    typer.echo(f"isthmus {command}: {' '.join(message.split())}", err=True)
    raise typer.Exit(code)


def refuse(command: str, message: str) -> NoReturn:
    """End the command because of how it was called."""
    fail(command, message, WRONG_USE)
