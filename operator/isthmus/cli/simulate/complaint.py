"""How `isthmus simulate` says what is wrong: one line on stderr."""

from typing import NoReturn

import typer

WRONG_USE = 2  # what a wrong option exits with, as typer's own


def fail(command: str, message: str, code: int = 1) -> NoReturn:
    """End the command with the message, on one line."""
    typer.echo(f"isthmus simulate {command}: {' '.join(message.split())}", err=True)
    raise typer.Exit(code)


def refuse(command: str, message: str) -> NoReturn:
    """End the command because of how it was called."""
    fail(command, message, WRONG_USE)
