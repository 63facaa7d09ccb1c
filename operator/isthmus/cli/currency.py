"""The option that names a currency."""

import re

import typer


def currency_code(text: str) -> str:
    """An ISO 4217 code. Raises BadParameter for what can't be one."""
    if not re.fullmatch("[A-Z]{3}", text):
        raise typer.BadParameter(f"{text!r} is no ISO 4217 code; write three capitals such as CNY")
    return text
