"""Machines without hardware: what a member cluster is said to consist of."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

# Nodes with this annotation are played by kwok; real ones beside them are left alone.
ANNOTATION = ("kwok.x-k8s.io/node", "fake")


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """One machine of a member: a Node that becomes Ready and runs Pods in name only.

    `cpu`, `memory` and the values of `extended` are Kubernetes quantities; `extended` maps resource names such
    as `nvidia.com/gpu`. `taints` are `key=value:Effect` or `key:Effect`. Allocatable equals capacity.
    """

    name: str
    cpu: str
    memory: str
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    extended: Mapping[str, str] = dataclasses.field(default_factory=dict)
    taints: Sequence[str] = ()
    annotations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    pods: int = 110

    def manifest(self) -> dict[str, Any]:
        """The Node as its kubelet would register it."""
        resources = {"cpu": self.cpu, "memory": self.memory, "pods": str(self.pods), **self.extended}
        usual = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "labels": {**usual, **self.labels},
                "annotations": {**self.annotations, **dict([ANNOTATION])},
            },
            "spec": {"taints": [_taint(text) for text in self.taints]},
            "status": {"capacity": resources, "allocatable": resources},
        }


def _taint(text: str) -> dict[str, str]:
    key, _, effect = text.rpartition(":")
    key, _, value = key.partition("=")
    return {"key": key, "value": value, "effect": effect} if value else {"key": key, "effect": effect}
