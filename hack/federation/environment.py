"""A container's environment and words, put together as a kubelet does."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from federation.manifests import Object

_REFERENCE = re.compile(r"\$(?:\$|\((?P<name>[^()]+)\))")
_KEYED = re.compile(r"metadata\.(?P<place>labels|annotations)\['(?P<key>[^']+)'\]")

Read = Callable[[str, str], Object]
"""An object of the pod's namespace by plural and name, as the cluster has it."""


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` replaced where there is such a variable, `$$` by a single one, all else left as it is."""

    def value(found: re.Match[str]) -> str:
        name = found["name"]
        return "$" if name is None else variables.get(name, found[0])

    return _REFERENCE.sub(value, text)


def environment_of(container: Object, pod: Object, given: Mapping[str, str], read: Read) -> dict[str, str]:
    """The variables by name: those `given` to every container, then `envFrom`, then `env`; the last one wins."""
    variables = dict(given)
    for source in container.get("envFrom", ()):
        variables |= {f"{source.get('prefix', '')}{key}": value for key, value in _all_of(source, read)}
    for each in container.get("env", ()):
        if "valueFrom" in each:
            value = _from(each["valueFrom"], pod, read)
            if value is not None:
                variables[each["name"]] = value
        else:
            variables[each["name"]] = expanded(each.get("value", ""), variables)
    return variables


def content(obj: Object) -> dict[str, bytes]:
    """What a ConfigMap or Secret holds, by key."""
    if obj["kind"] == "Secret":
        return {key: base64.b64decode(value) for key, value in obj.get("data", {}).items()}
    texts = {key: value.encode() for key, value in obj.get("data", {}).items()}
    return texts | {key: base64.b64decode(value) for key, value in obj.get("binaryData", {}).items()}


def _all_of(source: Mapping[str, Any], read: Read) -> Iterator[tuple[str, str]]:
    for kind, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
        if kind in source:
            for key, value in content(read(plural, source[kind]["name"])).items():
                yield key, value.decode()


def _from(source: Mapping[str, Any], pod: Object, read: Read) -> str | None:
    """The value; None where it is optional and not there. Raises ValueError for what no pod of ours has had so far."""
    for kind, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if kind in source:
            found = content(read(plural, source[kind]["name"])).get(source[kind]["key"])
            if found is None and not source[kind].get("optional", False):
                raise ValueError(f"{plural} {source[kind]['name']} has no key {source[kind]['key']}")
            return None if found is None else found.decode()
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    raise ValueError(f"no value is known from {source}")


def _field(pod: Object, path: str) -> str:
    if keyed := _KEYED.fullmatch(path):
        return str(pod["metadata"].get(keyed["place"], {}).get(keyed["key"], ""))
    value: Any = pod
    for step in path.split("."):
        if step not in value:
            raise ValueError(f"a process of this machine has no {path}")
        value = value[step]
    return str(value)
