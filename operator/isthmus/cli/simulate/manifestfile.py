"""Manifests of one kind from a file: YAML or JSON, a list, several documents, or a List."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from isthmus.api.model import Currency, Price, Quantity
from isthmus.errors import ManifestError

from .yamlfile import YamlTooLargeError, load_all

_Model = TypeVar("_Model", bound=BaseModel)
_TOLD = 3
NAMESPACE = "default"
"""Of what names none."""
_LARGEST_BYTES = 1 << 30
_API = "isthmus.dev/"
_MEND = "mend the file and try again"


def _pattern(annotated: Any) -> str:  # noqa: ANN401 - an Annotated has no type of its own
    """The pattern that the string must match."""
    return str(TypeAdapter(annotated).json_schema()["pattern"])


# What the patterns of the definitions mean, for people.
_WORDS = {
    _pattern(Price): "write a decimal that is not negative, at most 13 digits before the point and 12 after it",
    _pattern(Quantity): "write a Kubernetes quantity that is not negative, such as 500m or 16Gi",
    _pattern(Currency): "write an ISO 4217 code, such as CNY",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest, and where it stands, for whoever is to mend it."""

    where: str
    body: dict[str, Any]

    def wrong(self, message: str) -> ManifestError:
        """The error that names where it stands."""
        return ManifestError(f"{self.where}: {message}", _MEND)

    def as_model(self, model: type[_Model]) -> _Model:
        """The manifest decoded. Raises ManifestError, which names the fields that are wrong."""
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)
            told = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {_words(e)}" for e in wrong[:_TOLD])
            more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
            raise self.wrong(f"{told}{more}") from None


def read_manifests(path: Path, kind: str) -> list[Document]:
    """The manifests of the kind that the file holds, in its order; documents that hold nothing are passed over.

    Raises ManifestError for a file that can't be read, what is no manifest of that kind, and a name that comes twice.
    """
    documents: list[Document] = []
    seen: dict[tuple[str, str], str] = {}
    for number, content in enumerate(_flat(_contents(path)), 1):
        document = Document(f"{path}, document {number}", content if isinstance(content, dict) else {})
        if not isinstance(content, dict):
            raise document.wrong(f"it is {_said(content)}; a {kind} manifest is wanted")
        found, version = content.get("kind", kind), content.get("apiVersion", _API)
        if found != kind or not str(version).startswith(_API):
            raise document.wrong(f"kind: it is {_said(found)} of {_said(version)}; a {kind} of isthmus.dev is wanted")
        metadata = content.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(metadata, dict) or not isinstance(name, str) or not name:
            raise document.wrong("metadata.name: it has no name")
        document = Document(f"{document.where} ({kind} {name[:80]})", content)
        key = (str(metadata.get("namespace") or NAMESPACE), name)
        if key in seen:
            raise document.wrong(f"metadata.name: {seen[key]} has that name already")
        seen[key] = f"document {number}"
        documents.append(document)
    return documents


def _contents(path: Path) -> list[Any]:
    try:
        size = path.stat().st_size if path.is_file() else 0
        if size > _LARGEST_BYTES:
            raise ManifestError(f"{path} has {size} bytes, and at most {_LARGEST_BYTES} are read", "give less at once")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"can't read {path}: {error.strerror}", "name a file that this user can read") from None
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{path} is no text in UTF-8: byte {error.start}", "give manifests in YAML or JSON"
        ) from None
    try:
        return [json.loads(text)]
    except RecursionError:
        raise ManifestError(f"{path}: nested too deeply", _MEND) from None
    except ValueError:
        pass
    try:
        return load_all(text)
    except YamlTooLargeError as error:
        raise ManifestError(f"{path}: {error}", _MEND) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}" if mark is not None else ""
        said = error.problem or "it ends too soon"
        raise ManifestError(f"{path}{place}: neither JSON nor YAML: {said}", _MEND) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: neither JSON nor YAML: {error}", _MEND) from None


def _flat(contents: list[Any]) -> Iterator[Any]:
    """The manifests, lists of them taken apart."""
    for content in contents:
        if isinstance(content, list):
            yield from _flat(content)
        elif isinstance(content, dict) and str(content.get("kind", "")).endswith("List") and "items" in content:
            items = content["items"]
            yield from _flat(items if isinstance(items, list) else [items])
        elif content is not None:
            yield content


def _words(error: ErrorDetails) -> str:
    """What is wrong with a field, for people."""
    return _WORDS.get(str(error.get("ctx", {}).get("pattern")), error["msg"])


def _said(value: object) -> str:
    return json.dumps(value, default=str)[:60]
