"""How a log line names the object that it is about: the same keys wherever it is written. Pure."""

from .core import Manifest, Metadata

REFERENCE_KEYS = ("kind", "namespace", "name", "uid")


def reference(kind: str, metadata: Manifest | Metadata) -> dict[str, str]:
    """`kind`, `namespace`, `name` and `uid` of an object; what it has not, or is not known, is left out."""
    if isinstance(metadata, Metadata):
        found = {"namespace": metadata.namespace, "name": metadata.name, "uid": metadata.uid}
    else:
        found = {key: metadata.get(key) or "" for key in REFERENCE_KEYS[1:]}
    return {"kind": kind, **{key: value for key, value in found.items() if value}}
