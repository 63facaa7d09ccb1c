"""The reference page: every field of the four kinds with type, default, bounds and meaning."""

from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.api.kinds import KINDS, Kind
from isthmus.api.names import API_VERSION

from .schema import Schema, structural
from .table import escaped, table

_HEAD = f"""# API reference

<!-- Rendered from the models by `make generate`. -->

The kinds of `{API_VERSION}`. A field without a default is optional unless it is marked *required*. `[]` stands for
each entry of a list, `{{}}` for each value of a map. Times are RFC 3339, money is a decimal string, and a quantity is
one of Kubernetes.
"""
_BOUNDS = (
    ("minimum", "≥ {}"),
    ("maximum", "≤ {}"),
    ("minLength", "≥ {} characters"),
    ("maxLength", "≤ {} characters"),
    ("maxItems", "≤ {} entries"),
    ("maxProperties", "≤ {} keys"),
    ("pattern", "`{}`"),
)


@dataclass(frozen=True, slots=True)
class _Field:
    path: str
    schema: Schema
    required: bool


def reference() -> str:
    """The whole page, Markdown."""
    return "\n".join([_HEAD, *_summary(), *(line for kind in KINDS for line in _section(kind))]) + "\n"


def _summary() -> Iterator[str]:
    rows = [
        (
            f"[{kind.kind}](#{kind.singular})",
            f"`{kind.plural}`, `{kind.short_name}`",
            "namespaced" if kind.namespaced else "cluster",
            ", ".join(kind.categories),
            " ".join(column.name.upper() for column in kind.columns),
        )
        for kind in KINDS
    ]
    yield from table(("kind", "names", "scope", "categories", "columns"), rows)


def _section(kind: Kind) -> Iterator[str]:
    schema = structural(kind.model)
    fields = [f for part in ("spec", "status") for f in _fields(schema["properties"][part], part)]
    yield from ("", f"## {kind.kind}", "", schema["description"], "")
    yield from table(
        ("field", "type", "default", "bounds", "meaning"),
        [
            (f"`{f.path}`", _type(f.schema), _default(f), _bounds(f.schema), f.schema.get("description", ""))
            for f in fields
        ],
    )
    rules = list(_rules(schema, ""))
    if rules:
        yield from ("", "Rules:", "")
        yield from (f"- `{path}`: {message}" for path, message in rules)


def _fields(schema: Schema, path: str) -> Iterator[_Field]:
    for name, field in schema.get("properties", {}).items():
        yield _Field(f"{path}.{name}", field, name in schema.get("required", ()))
        yield from _fields(_inner(field), f"{path}.{name}{_mark(field)}")


def _inner(schema: Schema) -> Schema:
    inner: Schema = schema.get("items") or schema.get("additionalProperties") or schema
    return inner


def _mark(schema: Schema) -> str:
    return "[]" if "items" in schema else "{}" if "additionalProperties" in schema else ""


def _type(schema: Schema) -> str:
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    if "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}"
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("format") == "date-time":
        return "time"
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    return str(schema.get("type", "any"))


def _default(field: _Field) -> str:
    if field.required:
        return "*required*"
    default = field.schema.get("default")
    return "" if default is None or default == "" else f"`{_literal(default)}`"


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bounds(schema: Schema) -> str:
    outer = [text.format(escaped(schema[key])) for key, text in _BOUNDS if key in schema and "enum" not in schema]
    inner = _inner(schema)
    return "; ".join([*outer, f"each {_bounds(inner)}"] if inner is not schema and _bounds(inner) else outer)


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield (path + rule.get("fieldPath", "")).lstrip(".") or "metadata.name", rule["message"]
    for name, field in schema.get("properties", {}).items():
        yield from _rules(field, f"{path}.{name}")
    inner = _inner(schema)
    if inner is not schema:
        yield from _rules(inner, path + _mark(schema))
