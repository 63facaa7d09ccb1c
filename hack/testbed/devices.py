"""GPUs without hardware: what a driver of Dynamic Resource Allocation publishes of a machine, as manifests."""

from collections.abc import Sequence
from typing import Any

API_VERSION = "resource.k8s.io/v1"
DRIVER = "gpu.nvidia.com"
EXTENDED_RESOURCE = "nvidia.com/gpu"
MODEL, MEMORY = "NVIDIA A100-SXM4-80GB", "81920Mi"


def gpu(name: str, *, model: str = MODEL, memory: str = MEMORY, **more: Any) -> dict[str, Any]:
    """A device as the NVIDIA driver describes a whole GPU."""
    attributes = {
        "type": {"string": "gpu"},
        "uuid": {"string": f"GPU-{name}"},
        "productName": {"string": model},
        "brand": {"string": "Nvidia"},
        "architecture": {"string": "Ampere"},
        "cudaComputeCapability": {"version": "8.0.0"},
        "driverVersion": {"version": "580.65.6"},
    }
    return {"name": name, "attributes": attributes, "capacity": {"memory": {"value": memory}}, **more}


def resource_slice(
    machine: str,
    devices: Sequence[dict[str, Any]],
    *,
    driver: str = DRIVER,
    generation: int = 1,
    part: int = 0,
    parts: int = 1,
    **spec: Any,
) -> dict[str, Any]:
    """One slice of the pool that is named after a machine; of `parts` it is the one of number `part`."""
    pool = {"name": machine, "generation": generation, "resourceSliceCount": parts}
    return {
        "apiVersion": API_VERSION,
        "kind": "ResourceSlice",
        "metadata": {"name": f"{machine}-{driver}-{generation}-{part}"},
        "spec": {"driver": driver, "pool": pool, "nodeName": machine, "devices": list(devices), **spec},
    }


def gpus(machine: str, count: int, *, model: str = MODEL, memory: str = MEMORY) -> dict[str, Any]:
    """The slice of a machine with so many GPUs of one model."""
    return resource_slice(machine, [gpu(f"gpu-{i}", model=model, memory=memory) for i in range(count)])


def device_class(
    name: str = DRIVER,
    expression: str = f"device.driver == '{DRIVER}' && device.attributes['{DRIVER}'].type == 'gpu'",
    *,
    extended_resource: str | None = EXTENDED_RESOURCE,
) -> dict[str, Any]:
    """The class of the driver's whole GPUs, by which pods get them that ask for the extended resource."""
    spec: dict[str, Any] = {"selectors": [{"cel": {"expression": expression}}]}
    if extended_resource is not None:
        spec["extendedResourceName"] = extended_resource
    return {"apiVersion": API_VERSION, "kind": "DeviceClass", "metadata": {"name": name}, "spec": spec}
