"""Manifests as users write them, with the few things that tests vary as arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

from testbed import Machine

Object = dict[str, Any]
RUN_SECONDS = "testbed.isthmus.dev/run-seconds"
EXIT_CODE = "testbed.isthmus.dev/exit-code"


def gpu_machine(name: str, model: str, gpus: int, *, cpu: str = "32", memory: str = "128Gi") -> Machine:
    """A machine with NVIDIA GPUs and the labels that GPU feature discovery puts on it."""
    labels = {"nvidia.com/gpu.product": model, "nvidia.com/gpu.memory": "40960", "nvidia.com/gpu.count": str(gpus)}
    return Machine(name=name, cpu=cpu, memory=memory, labels=labels, extended={"nvidia.com/gpu": str(gpus)})


def tariff(core: str = "0.00005", gpu: str = "0.002", currency: str = "CNY", version: str = "2026-1") -> Object:
    """A price list that prices every GPU model alike."""
    prices = {"coreSecond": core, "gibibyteSecond": "0.000005", "gpuSecond": [{"model": "*", "price": gpu}]}
    return {"version": version, "currency": currency, "prices": prices}


def compute_node(name: str, secret: str | None, *, tier: str = "Core", **spec: Any) -> Object:
    """A ComputeNode by the kubeconfig in `secret`, or the hub's own cluster where there is none."""
    access: Object = {"kubeConfig": {"secretRef": {"name": secret}}} if secret else {"local": {}}
    return {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "ComputeNode",
        "metadata": {"name": name},
        "spec": {
            "identity": {"code": f"CN-{name}"},
            "tier": tier,
            "region": {"code": "cn-east"},
            "timing": {"heartbeatSeconds": 1},
            "tariff": tariff(),
            "access": access,
            **spec,
        },
    }


def job_spec(
    *,
    run_seconds: str = "1",
    cpu: str = "1",
    memory: str = "1Gi",
    gpus: int = 0,
    completions: int | None = None,
    parallelism: int | None = None,
    exit_code: int = 0,
    pod: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Object:
    """A batch/v1 JobSpec; Indexed where it has completions."""
    requests = {"cpu": cpu, "memory": memory}
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    container = {
        "name": "main",
        "image": "example/work:1",
        "command": ["work"],
        "resources": {"requests": requests, **({"limits": limits} if limits else {})},
    }
    annotations = {RUN_SECONDS: run_seconds, **({EXIT_CODE: str(exit_code)} if exit_code else {})}
    indexed = {"completions": completions, "completionMode": "Indexed"} if completions is not None else {}
    return {
        **indexed,
        **({"parallelism": parallelism} if parallelism is not None else {}),
        "template": {
            "metadata": {"annotations": annotations},
            "spec": {"restartPolicy": "Never", "containers": [container], **(pod or {})},
        },
        **spec,
    }


def compute_job(
    name: str, template: Mapping[str, Any] | None = None, *, namespace: str = "team-a", **spec: Any
) -> Object:
    """A ComputeJob around a JobSpec."""
    return {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "ComputeJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": dict(template if template is not None else job_spec()), **spec},
    }


def names(objects: Sequence[Object]) -> list[str]:
    """The names of objects."""
    return [obj["metadata"]["name"] for obj in objects]
