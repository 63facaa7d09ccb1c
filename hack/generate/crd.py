"""The CustomResourceDefinition of a kind."""

from typing import Any

from isthmus import __version__
from isthmus.api.kinds import Column, Kind
from isthmus.api.names import GROUP, VERSION

from .schema import structural

# By it the chart sees that what is installed is newer than what it would put in its place.
ANNOTATION_VERSION = f"{GROUP}/crd-version"


def crd(kind: Kind) -> dict[str, Any]:
    """The manifest to apply to a hub cluster."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": kind.crd_name,
            "labels": {"app.kubernetes.io/part-of": "isthmus"},
            "annotations": {ANNOTATION_VERSION: __version__},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short_name],
                "categories": list(kind.categories),
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(column) for column in kind.columns],
                    "schema": {"openAPIV3Schema": structural(kind.model)},
                }
            ],
        },
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
    }
