"""The trace's GPU models as GPU feature discovery would label their machines."""

import dataclasses
from collections.abc import Mapping

RESOURCE = "nvidia.com/gpu"


@dataclasses.dataclass(frozen=True, slots=True)
class Product:
    """A model's product name; memory in MiB and architecture family where they are known."""

    name: str
    memory_mib: int | None = None
    family: str | None = None


# The trace keeps what G2 and G3 are to itself; they stand under its own names.
PRODUCTS: Mapping[str, Product] = {
    "V100M32": Product("Tesla-V100-SXM2-32GB", 32768, "volta"),
    "V100M16": Product("Tesla-V100-SXM2-16GB", 16384, "volta"),
    "P100": Product("Tesla-P100-PCIE-16GB", 16384, "pascal"),
    "T4": Product("Tesla-T4", 15360, "turing"),
    "A10": Product("NVIDIA-A10", 23028, "ampere"),
    "G2": Product("G2"),
    "G3": Product("G3"),
}


def product_name(model: str) -> str:
    """The product label of a model of the trace; a model that isn't known here keeps its name."""
    return PRODUCTS.get(model, Product(model)).name


def gpu_labels(model: str, gpus: int) -> dict[str, str]:
    """Node labels in the manner of GPU feature discovery for `gpus` whole GPUs of the model."""
    product = PRODUCTS.get(model, Product(model))
    labels = {
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": product.name,
        "nvidia.com/gpu.count": str(gpus),
        "nvidia.com/mig.capable": "false",
    }
    if product.memory_mib is not None:
        labels["nvidia.com/gpu.memory"] = str(product.memory_mib)
    if product.family is not None:
        labels["nvidia.com/gpu.family"] = product.family
    return labels
