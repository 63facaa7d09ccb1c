"""Options in kubectl's ways that the command line's own parser does not know: -n=NAME, -A=true, --watch=false."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand, TyperGroup

from .complaint import Complaint

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True, slots=True)
class Option:
    """One option, by its long name, and whether it stands alone."""

    name: str
    alone: bool


class Command(TyperCommand):
    """A command whose options can be written in kubectl's ways."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own type is private
        """As the class above does, once the options are spelled in the way that it reads."""
        return super().parse_args(ctx, spelled(args, options_of(self.get_params(ctx)), to_the_end=True))


class Group(TyperGroup):
    """A group whose own options, those before the command, can be written so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as above
        """As the class above does, once the options are spelled in the way that it reads."""
        return super().parse_args(ctx, spelled(args, options_of(self.get_params(ctx)), to_the_end=False))


def options_of(parameters: Iterable[Any]) -> dict[str, Option]:
    """The options among a command's parameters, by every way to write them."""
    found: dict[str, Option] = {}
    for each in parameters:
        if each.param_type_name == "option":
            option = Option(max(each.opts, key=len), bool(each.is_flag))
            found |= dict.fromkeys(each.opts, option)
    return found


def spelled(arguments: Sequence[str], options: Mapping[str, Option], *, to_the_end: bool) -> list[str]:
    """The arguments with no `=` after a letter or a switch; what follows `--`, or else the first word, is another's."""
    return _Spelling(options).read(list(arguments), to_the_end=to_the_end)


class _Spelling:
    """One command line on its way. What is kept has its option beside it: a later =false takes a switch back."""

    def __init__(self, options: Mapping[str, Option]) -> None:
        self._options = options
        self._kept: list[tuple[Option | None, list[str]]] = []

    def read(self, rest: list[str], *, to_the_end: bool) -> list[str]:
        """The arguments anew."""
        while rest:
            word = rest[0]
            if word == "--" or (not to_the_end and not _is_option(word)):
                break
            rest = rest[1:]
            if not _is_option(word):
                self._kept.append((None, [word]))
            elif word.startswith("--"):
                rest = self._long(word, rest)
            else:
                rest = self._letters(word[1:], rest)
        return [word for _, words in self._kept for word in words] + rest

    def _long(self, word: str, rest: list[str]) -> list[str]:
        flag, equals, value = word.partition("=")
        option = self._options.get(flag)
        if option is None or (equals and not option.alone):
            self._kept.append((option, [word]))
        elif option.alone:
            self._switch(option, flag, value if equals else "true")
        else:
            self._kept.append((option, [word, *rest[:1]]))
            return rest[1:]
        return rest

    def _letters(self, letters: str, rest: list[str]) -> list[str]:
        while letters:
            flag, more = f"-{letters[0]}", letters[1:]
            option = self._options.get(flag)
            if option is None:
                self._kept.append((None, [f"-{letters}"]))
                return rest
            if not option.alone:
                return self._valued(option, flag, more, rest)
            if more.startswith("="):
                self._switch(option, flag, more[1:])
                return rest
            self._switch(option, flag, "true")
            letters = more
        return rest

    def _valued(self, option: Option, flag: str, more: str, rest: list[str]) -> list[str]:
        if more == "=":
            raise Complaint(f"{flag}= has no value")
        if more:
            self._kept.append((option, [flag + more.removeprefix("=")]))
            return rest
        self._kept.append((option, [flag, *rest[:1]]))
        return rest[1:]

    def _switch(self, option: Option, flag: str, value: str) -> None:
        if value in _TRUE:
            self._kept.append((option, [flag]))
        elif value in _FALSE:
            self._kept = [each for each in self._kept if each[0] != option]
        else:
            raise Complaint(f"{flag}={value}: write true or false")


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-")
