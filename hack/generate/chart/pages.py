"""The tables of values: in the chart's README, and as a page of the docs."""

import json
from collections.abc import Iterator

from generate.table import escaped, table

from .fields import Entry, entries
from .schema import Schema

_PAGE = """# Values of the chart

<!-- Rendered from hack/generate/chart/values.py by `make generate`. -->

What the chart can be told, in a file of yours (`helm install isthmus charts/isthmus --values FILE`) or one by one
(`helm install isthmus charts/isthmus --set hub.currency=EUR`). Helm refuses a key that is not here, and a value that is
not allowed. An *object*, or a list of these, is as Kubernetes defines it.
"""
_README = """# isthmus

<!-- Rendered from hack/generate/chart/values.py by `make generate`. -->

The hub of Isthmus: CustomResourceDefinitions, the operator under an identity that may do what its work takes, and roles
for people. It needs Kubernetes 1.30 or newer and Helm 3 or 4. The guide is docs/hub.md in the repository.

```bash
helm install isthmus charts/isthmus --namespace isthmus-system --create-namespace
helm test isthmus --namespace isthmus-system
```

## Values
"""
_BOUNDS = (
    ("minimum", "≥ {}"),
    ("maximum", "≤ {}"),
    ("maxLength", "≤ {} characters"),
    ("pattern", "`{}`"),
)


def values_page() -> str:
    """docs/reference/values.md."""
    return "\n".join([_PAGE, *_tables()]) + "\n"


def chart_readme() -> str:
    """The chart's README.md."""
    return "\n".join([_README, *_tables()]) + "\n"


def _tables() -> Iterator[str]:
    rows = [row for entry in entries() for row in _rows(entry)]
    yield from table(("key", "type", "default", "allowed", "meaning"), rows)


def _rows(entry: Entry) -> Iterator[tuple[str, ...]]:
    key = ".".join(entry.path)
    if entry.is_group:
        yield f"**`{key}`**", "", "", "", entry.text
        return
    yield f"`{key}`", _type(entry.schema), _default(entry), _allowed(entry.schema), entry.text
    for name, field in entry.schema.get("items", {}).get("properties", {}).items():
        needed = "*required*" if name in entry.schema["items"].get("required", ()) else ""
        yield f"`{key}[].{name}`", _type(field), needed, _allowed(field), field.get("description", "")


def _type(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}s"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map of {_type(schema['additionalProperties'])}s"
    return str(schema["type"])


def _default(entry: Entry) -> str:
    return (
        "" if entry.default == "" else f"`{escaped(json.dumps(entry.default))}`".replace('`"', "`").replace('"`', "`")
    )


def _allowed(schema: Schema) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return ", ".join(text.format(escaped(schema[key])) for key, text in _BOUNDS if key in schema)
