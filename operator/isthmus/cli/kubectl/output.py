"""The forms in which objects are written."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TextIO

from .kinds import Kind

Object = Mapping[str, Any]


class Form(StrEnum):
    """What -o takes."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


def without_bookkeeping(obj: Object) -> dict[str, Any]:
    """The object without metadata.managedFields, which kubectl leaves out too."""
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def listed(objects: Sequence[Object]) -> dict[str, Any]:
    """Several objects in a List."""
    items = [without_bookkeeping(obj) for obj in objects]
    return {"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}}


def names_of(kind: Kind, objects: Iterable[Object]) -> list[str]:
    """As `kubectl get -o name` writes them."""
    return [f"{kind.singular}.isthmus.dev/{obj['metadata']['name']}" for obj in objects]


def write(document: Object, form: Form, file: TextIO | None = None) -> None:
    """Write a document as JSON or YAML."""
    file = file or sys.stdout
    if form is Form.YAML:
        file.write(yaml_text(document))
    else:
        file.write(json.dumps(document, indent=4, ensure_ascii=False) + "\n")


def yaml_text(document: Object) -> str:
    """The document as YAML, keys in their order."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(dict(document), Dumper=dumper, sort_keys=False, allow_unicode=True, width=1000)
    return text
