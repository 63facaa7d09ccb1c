"""Selectors of DeviceClasses: the part of CEL in which drivers and administrators say which devices are of a class.

Comparisons, `in`, `has`, `&&`, `||` and `!` over a device's driver, attributes and capacity, with the few functions of
strings and quantities that are in use (k8s.io/dynamic-resource-allocation/cel). Whatever else an expression has is
refused, and its class then counts nothing: less may be promised than there is, never more.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from .subject import Domains, Quantity, SelectorError, Subject, Value, quantity

Evaluation = Callable[[Subject], Value]

SIZE_LIMIT = 10 * 1024
_DEPTH_LIMIT = 32
_STRING = r"""'(?:[^'\\\n]|\\['"\\])*'|"(?:[^"\\\n]|\\['"\\])*\""""
_TOKEN = re.compile(rf"\s*({_STRING}|-?[0-9]{{1,18}}(?![0-9.uxXeE])|[A-Za-z_]\w*|&&|\|\||[=!<>]=|[<>!.,()\[\]])")
_ESCAPED = re.compile(r"\\(.)")
_LITERALS: Mapping[str, bool] = {"true": True, "false": False}
_RELATIONS: Mapping[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OF_STRINGS: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}
_OF_QUANTITIES: Mapping[str, Callable[[Quantity, Quantity], Value]] = {
    "compareTo": lambda one, other: int(one > other) - int(one < other),
    "isGreaterThan": operator.gt,
    "isLessThan": operator.lt,
}


@lru_cache(maxsize=1024)
def selector(expression: str) -> Callable[[Subject], bool]:
    """Whether a device meets the expression: a function that raises SelectorError where that has no value for one.

    Raises SelectorError for an expression that can't be read.
    """
    evaluate = _Parser(expression).whole()
    return lambda subject: _boolean(evaluate(subject))


def _split(expression: str) -> Iterator[str]:
    at, end = 0, len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None:
            raise SelectorError(f"{expression[at : at + 16].strip()!r} is not read here")
        yield match.group(1)
        at = match.end()


class _Parser:
    """Recursive descent over the tokens, to functions of a device."""

    def __init__(self, expression: str) -> None:
        if len(expression) > SIZE_LIMIT:
            raise SelectorError(f"an expression of {len(expression)} characters")
        self._tokens = [*_split(expression), ""]
        self._at = 0
        self._depth = 0

    def whole(self) -> Evaluation:
        """What all of it comes to."""
        evaluate = self._either()
        if self._token:
            raise SelectorError(f"{self._token[:64]} is not read here")
        return evaluate

    @property
    def _token(self) -> str:
        return self._tokens[self._at]

    def _take(self, *wanted: str) -> str:
        """The next token where it is one of these, else nothing."""
        token = self._token
        if token not in wanted:
            return ""
        self._at += 1
        return token

    def _must(self, wanted: str) -> None:
        if not self._take(wanted):
            raise SelectorError(f"{self._token[:64] or 'the end'} where {wanted} must be")

    def _name(self) -> str:
        token = self._token
        if not token.isidentifier():
            raise SelectorError(f"{token[:64] or 'the end'} where a name must be")
        self._at += 1
        return token

    def _either(self) -> Evaluation:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise SelectorError("an expression that is nested too deep")
        parts = [self._both()]
        while self._take("||"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else lambda subject: _decided(subject, parts, by=True)

    def _both(self) -> Evaluation:
        parts = [self._relation()]
        while self._take("&&"):
            parts.append(self._relation())
        return parts[0] if len(parts) == 1 else lambda subject: _decided(subject, parts, by=False)

    def _relation(self) -> Evaluation:
        one = self._negated()
        sign = self._take("==", "!=", "<", "<=", ">", ">=", "in")
        if not sign:
            return one
        other = self._negated()
        return lambda subject: _related(sign, one(subject), other(subject))

    def _negated(self) -> Evaluation:
        odd = False
        while self._take("!"):
            odd = not odd
        inner = self._member()
        return (lambda subject: not _boolean(inner(subject))) if odd else inner

    def _member(self) -> Evaluation:
        found, steps = self._primary(), 0
        while sign := self._take(".", "["):
            steps += 1
            if steps > _DEPTH_LIMIT:
                raise SelectorError("an expression that is nested too deep")
            if sign == "[":
                found = _entry(found, self._either())
                self._must("]")
                continue
            name = self._name()
            if self._take("("):
                found = _call(name, found, self._either())
                self._must(")")
            else:
                found = _field(found, name)
        return found

    def _primary(self) -> Evaluation:
        if self._take("("):
            inner = self._either()
            self._must(")")
            return inner
        if self._take("["):
            return self._list()
        token = self._token
        self._at += bool(token)
        if token in {"has", "quantity"}:
            self._must("(")
            inner = self._either()
            self._must(")")
            return _has(inner) if token == "has" else _made(inner)  # noqa: S105
        if token == "device":  # noqa: S105
            return lambda subject: subject
        value = _literal(token)
        return lambda _: value

    def _list(self) -> Evaluation:
        items: list[Evaluation] = []
        while not self._take("]"):
            items.append(self._either())
            if self._token != "]":  # noqa: S105
                self._must(",")
        return lambda subject: tuple(item(subject) for item in items)


def _literal(token: str) -> Value:
    if token[:1] in {"'", '"'}:
        return _ESCAPED.sub(r"\1", token[1:-1])
    if token.lstrip("-").isdigit():
        return int(token)
    if token in _LITERALS:
        return _LITERALS[token]
    raise SelectorError(f"{token[:64] or 'the end'} is not read here")


def _boolean(value: Value) -> bool:
    if not isinstance(value, bool):
        raise SelectorError("no truth value")
    return value


def _decided(subject: Subject, parts: list[Evaluation], *, by: bool) -> bool:
    """One part that is `by` decides, whatever errors others end in: the order is of no account."""
    failure: SelectorError | None = None
    for part in parts:
        try:
            if _boolean(part(subject)) is by:
                return by
        except SelectorError as error:
            failure = error
    if failure is not None:
        raise failure
    return not by


def _related(sign: str, one: Value, other: Value) -> bool:
    if sign in {"==", "!="}:
        return _equal(one, other) == (sign == "==")
    if sign == "in":
        if isinstance(other, tuple):
            return any(_equal(one, each) for each in other)
        if isinstance(other, Mapping) and isinstance(one, str):
            return one in other
        raise SelectorError("in something that holds nothing")
    if type(one) is not int or type(other) is not int:
        raise SelectorError("only numbers are told apart by size")
    return _RELATIONS[sign](one, other)


def _equal(one: Value, other: Value) -> bool:
    """Values of different types are never equal."""
    return type(one) is type(other) and one == other


def _looked_up(holder: Value, key: Value) -> Value:
    if not isinstance(holder, Mapping) or not isinstance(key, str):
        raise SelectorError("no map, or a key that is no string")
    if key not in holder and not isinstance(holder, Domains):
        raise SelectorError(f"no such key: {key[:64]}")
    return holder[key]


def _entry(holder: Evaluation, key: Evaluation) -> Evaluation:
    return lambda subject: _looked_up(holder(subject), key(subject))


def _field(holder: Evaluation, name: str) -> Evaluation:
    def value(subject: Subject) -> Value:
        there = holder(subject)
        return there.field(name) if isinstance(there, Subject) else _looked_up(there, name)

    return value


def _has(inner: Evaluation) -> Evaluation:
    def there(subject: Subject) -> bool:
        try:
            inner(subject)
        except SelectorError:
            return False
        return True

    return there


def _made(inner: Evaluation) -> Evaluation:
    def value(subject: Subject) -> Value:
        text = inner(subject)
        made = quantity(text) if type(text) is str else None
        if made is None:
            raise SelectorError("no quantity")
        return made

    return value


def _call(name: str, holder: Evaluation, argument: Evaluation) -> Evaluation:
    if name not in _OF_STRINGS and name not in _OF_QUANTITIES:
        raise SelectorError(f"{name[:64]}() is not read here")

    def value(subject: Subject) -> Value:
        one, other = holder(subject), argument(subject)
        if type(one) is str and type(other) is str and name in _OF_STRINGS:
            return _OF_STRINGS[name](one, other)
        if isinstance(one, Quantity) and isinstance(other, Quantity) and name in _OF_QUANTITIES:
            return _OF_QUANTITIES[name](one, other)
        raise SelectorError(f"no {name}() of such values")

    return value
