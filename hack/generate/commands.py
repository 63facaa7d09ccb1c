"""The reference page of the commands: what each takes, as the programs themselves say it."""

import re
import typing
from collections.abc import Iterator
from enum import Enum, EnumType
from typing import Any, Literal

import typer.main

from isthmus.cli.kubectl.flags import PANEL
from isthmus.cli.kubectl.main import app as plugin
from isthmus.cli.main import app as isthmus

_HEAD = """# Commands

<!-- Rendered from the programs by `make generate`. -->

`kubectl isthmus` is for whoever uses or runs a hub; `isthmus` is the operator itself, and what reads its ledger. Each
command tells of itself with `-h`.

"""
_KINDS = {int: "number"}
_TAIL = f"""
## {PANEL}

Every command of `kubectl isthmus` takes these before its name. All but `node add`, where they are the hub's, take them
after it as well.

"""


def commands() -> str:
    """The whole page, Markdown."""
    parts = [_HEAD.rstrip("\n"), "", *_program("kubectl isthmus", plugin), *_program("isthmus", isthmus)]
    root: Any = typer.main.get_command(plugin)
    own = [each for each in root.params if each.rich_help_panel == PANEL]
    parts += [_TAIL.rstrip("\n"), "", *_options(own)]
    return "\n".join(parts) + "\n"


def _program(name: str, app: typer.Typer) -> Iterator[str]:
    command = typer.main.get_command(app)
    for path, each in _leaves(name, command):
        arguments = [_argument(param) for param in each.params if param.param_type_name == "argument"]
        yield f"## {path}"
        yield ""
        yield "```console"
        yield " ".join(["$", path, *arguments, "[options]"])
        yield "```"
        yield ""
        yield _words(each.help or "")
        yield ""
        options = [p for p in each.params if p.param_type_name == "option" and p.rich_help_panel != PANEL]
        described = [p for p in each.params if p.param_type_name == "argument" and p.help]
        yield from (f"- `{_argument(param)}`: {param.help}" for param in described)
        if described:
            yield ""
        if any(p.name != "help" for p in options):
            yield from _options(options)
            yield ""


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        if not child.hidden:
            yield from _leaves(f"{path} {name}", child)


def _options(options: list[Any]) -> Iterator[str]:
    yield "| option | value | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for option in options:
        if option.hidden or option.name == "help":
            continue
        names = ", ".join(f"`{each}`" for each in (*option.opts, *option.secondary_opts))
        default = option.default
        shown = "" if option.is_flag or default in (None, "", [], ()) else f"`{getattr(default, 'value', default)}`"
        shown = "*required*" if option.required else shown
        words = _words(option.help or "")
        variable = f" From `{option.envvar}` where it is not given." if option.envvar else ""
        yield f"| {names} | {_value(option)} | {shown} | {words}{variable} |"


def _argument(param: Any) -> str:
    name = param.metavar or str(param.name).upper()
    more = "..." if param.nargs == -1 else ""
    return f"{name}{more}" if param.required else f"[{name}{more}]"


def _value(option: Any) -> str:
    if option.is_flag:
        return ""
    if option.metavar:
        return f"`{option.metavar}`"
    annotation: Any = option.type_descriptor.annotation
    inner = next(iter(typing.get_args(annotation)), annotation)
    if typing.get_origin(annotation) is Literal:
        choices = [str(each) for each in typing.get_args(annotation)]
    else:
        choices = [str(each.value) for each in typing.cast("type[Enum]", inner)] if isinstance(inner, EnumType) else []
    return " \\| ".join(f"`{each}`" for each in choices) if choices else _KINDS.get(annotation, "text")


def _words(text: str) -> str:
    """The paragraphs of a help text, each on a line."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))
