"""Nodes and jobs as manifests, and `isthmus simulate batch` called on them."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from isthmus.cli.main import app

GPU = "nvidia.com/gpu"
AT = "2026-11-01T08:00:00Z"
Object = dict[str, Any]


def node(name: str, *, free: int = 8, machines: int = 2, core: str = "0.0001", **spec: Any) -> Object:
    """A ComputeNode with machines of 32 cores and 8 GPUs, of which so many are free on each."""
    has = {"cpu": "32", "memory": "128Gi", "pods": "110", GPU: "8"}
    left = {**has, GPU: str(free)}
    label = {"key": f"{GPU}.product", "value": "A100"}
    accelerator = {"vendor": "nvidia", "resourceName": GPU, "model": "A100", "memory": "80Gi", "label": label}
    prices = {"coreSecond": core, "gibibyteSecond": "0", "gpuSecond": [{"model": "*", "price": core}]}
    profile = {
        "observedAt": AT,
        "machines": machines,
        "allocatable": {GPU: str(8 * machines)},
        "free": {GPU: str(free * machines)},
        "gpuTotal": 8 * machines,
        "gpuFree": free * machines,
        "accelerators": [],
        "shapes": [{"count": machines, "allocatable": has, "free": left, "accelerators": [accelerator]}],
    }
    declared = {
        "identity": {"code": f"CN-{name}"},
        "tier": "Core",
        "region": {"code": "cn-east"},
        "access": {"local": {}},
        "tariff": {"version": "1", "currency": "CNY", "prices": prices},
        **spec,
    }
    return {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "ComputeNode",
        "metadata": {"name": name},
        "spec": declared,
        "status": {"profile": profile},
    }


def job(
    name: str, *, gpus: int = 1, namespace: str | None = None, placement: Object | None = None, **work: Any
) -> Object:
    """A ComputeJob whose pods ask for a core and so many GPUs."""
    limits = {"cpu": "1", GPU: str(gpus)} if gpus else {"cpu": "1"}
    container = {"name": "main", "image": "work", "resources": {"limits": limits}}
    template = {**work, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    spec = {"template": template, **({"placement": placement} if placement else {})}
    return {"apiVersion": "isthmus.dev/v1alpha1", "kind": "ComputeJob", "metadata": metadata, "spec": spec}


def called(folder: Path, nodes: object, jobs: object, *options: str) -> Result:
    """The command on what stands in two files; text is written as it is."""
    paths = []
    for name, content in (("nodes.yaml", nodes), ("jobs.json", jobs)):
        path = folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        paths.append(str(path))
    arguments = ["simulate", "batch", "--nodes", paths[0], "--jobs", paths[1], "--now", AT, *options]
    return CliRunner().invoke(app, arguments)


def answered(folder: Path, nodes: object, jobs: object, *options: str) -> Object:
    """Its answer as JSON."""
    result = called(folder, nodes, jobs, "-o", "json", *options)
    assert result.exit_code == 0, result.output
    found: Object = json.loads(result.stdout)
    return found
