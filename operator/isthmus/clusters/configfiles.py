"""The kubeconfig files of a person at a terminal, merged as kubectl does it: of each entry, the first word counts."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import InvalidCredentials
from .kubeconfig import parsed

Document = dict[str, Any]

_LISTS = ("clusters", "users", "contexts")
_FILES = {
    "clusters": ("cluster", ("certificate-authority",)),
    "users": ("user", ("client-certificate", "client-key", "tokenFile")),
}


def files_named(environment: Mapping[str, str], home: Path) -> list[Path]:
    """The files that KUBECONFIG lists, else the one in the home directory; whether they are there is not looked at."""
    listed = [Path(each) for each in environment.get("KUBECONFIG", "").split(os.pathsep) if each]
    return list(dict.fromkeys(listed)) or [home / ".kube" / "config"]


def read_merged(paths: Sequence[Path], *, required: bool) -> Document:
    """One kubeconfig out of these files. InvalidCredentials where one can't be read, or is `required` and not there."""
    documents = []
    for path in paths:
        try:
            text = path.expanduser().read_bytes()
        except FileNotFoundError:
            if required:
                raise InvalidCredentials(f"the kubeconfig {path} is not there") from None
            continue
        except OSError as error:
            raise InvalidCredentials(f"the kubeconfig {path} can't be read: {error.strerror}") from error
        if not text.strip():
            continue
        try:
            documents.append(anchored(parsed(text), path.expanduser().resolve().parent))
        except InvalidCredentials as error:
            raise InvalidCredentials(f"{path}: {error}") from None
    return merged(documents)


def merged(documents: Iterable[Mapping[str, Any]]) -> Document:
    """One document: the first current-context, and of clusters, users and contexts the first of each name."""
    whole: Document = {key: [] for key in _LISTS}
    for document in documents:
        if document.get("current-context"):
            whole.setdefault("current-context", document["current-context"])
        for key in _LISTS:
            known = {entry["name"] for entry in whole[key]}
            whole[key] += [entry for entry in _entries(document, key) if entry["name"] not in known]
    return whole


def anchored(document: Mapping[str, Any], directory: Path) -> Document:
    """The document with the paths in it, and a plugin's where it is one, made absolute from its file's directory."""
    whole = dict(document)
    for key, (part, names) in _FILES.items():
        whole[key] = [{**entry, part: _anchored(entry.get(part), names, directory)} for entry in _entries(whole, key)]
    return whole


def _anchored(values: Any, names: Iterable[str], directory: Path) -> Any:
    if not isinstance(values, dict):
        return values
    paths = {name: str(directory / values[name]) for name in names if isinstance(values.get(name), str)}
    plugin = values.get("exec")
    if isinstance(plugin, dict) and isinstance(plugin.get("command"), str) and os.sep in plugin["command"]:
        return {**values, **paths, "exec": {**plugin, "command": str(directory / plugin["command"])}}
    return {**values, **paths}


def _entries(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    entries = document.get(key) or []
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and isinstance(e.get("name"), str) for e in entries
    ):
        raise InvalidCredentials(f"the kubeconfig's {key} are no list of entries with a name")
    return entries
