"""The accelerators that Isthmus knows out of the box, by the names their vendors' device plugins use.

Sources: NVIDIA k8s-device-plugin and gpu-feature-discovery; Huawei MindCluster (Ascend Device Plugin, "Native
Kubernetes Objects") and the Ascend resource names of HAMi; ROCm k8s-device-plugin and its node labeller; Intel device
plugins for Kubernetes; Cambricon k8s-device-plugin; Hygon DCU device plugin; Moore Threads, MetaX, Iluvatar, Enflame,
Biren and Kunlunxin device plugins. Resources that stand for a part of a card (memory, cores) are no accelerators here;
where they are known they are the `shares` of the resource that counts the cards.
"""

import re
from dataclasses import dataclass

from .shares import Shares

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30

_ANY_MODEL = re.compile(r"(?P<model>.+)")


@dataclass(frozen=True, slots=True)
class ModelLabel:
    """A node label that names the model; `pattern` takes from its value the groups `model`, `profile`, `shared`.

    In keys, `{resource}` stands for the resource name, or for the group `name` of it where the family has one.
    """

    key: str
    pattern: re.Pattern[str] = _ANY_MODEL


@dataclass(frozen=True, slots=True)
class MemoryLabel:
    """A node label that tells the memory of one accelerator; `unit` is the bytes of a number without a suffix."""

    key: str
    unit: int


@dataclass(frozen=True, slots=True)
class Family:
    """Resource names of one vendor that are told apart by the same rules.

    `resource` must match the whole name; its group `model` is the model where no label names it (else `model`), its
    group `profile` the partition profile (else `profile`), its group `shared` says that several pods share one device.
    `prefix` is put before a model found that lacks it. `partition_labels` are node labels whose value is a partition
    profile; `whole` are the profiles of a device that is not parted. `shares` are the resources that ask for a part of
    one card.
    """

    vendor: str
    resource: re.Pattern[str]
    model: str = "unknown"
    profile: str | None = None
    prefix: str = ""
    model_labels: tuple[ModelLabel, ...] = ()
    memory_labels: tuple[MemoryLabel, ...] = ()
    partition_labels: tuple[str, ...] = ()
    whole: frozenset[str] = frozenset()
    shares: Shares | None = None


# The product label of MIG and of time slicing: NVIDIA-A100-SXM4-80GB-MIG-1g.10gb-SHARED.
_NVIDIA_PRODUCT = re.compile(r"(?P<model>.+?)(?:-MIG-(?P<profile>.+?))?(?P<shared>-SHARED)?")

# HAMi, on machines that its device plugin registers.
_NVIDIA_SHARES = Shares(
    "{resource}mem",
    "{resource}mem-percentage",
    "{resource}cores",
    "hami.io/node-nvidia-register",
    "hami.io/vgpu-devices-allocated",
)
# It rounds memory up to one of the model's templates.
_ASCEND_SHARES = Shares(
    "{resource}-memory",
    None,
    "{resource}-core",
    "hami.io/node-register-{name}",
    "hami.io/{name}-devices-allocated",
    exact=False,
)


def _device_class(name: str) -> re.Pattern[str]:
    """The resource name of a DeviceClass that has none of its own, as the vendor's DRA driver installs it."""
    return re.compile(re.escape(f"deviceclass.resource.kubernetes.io/{name}"))


_NVIDIA = (
    Family(
        "NVIDIA",
        re.compile(r"nvidia\.com/gpu(?P<shared>\.shared)?"),
        model_labels=(ModelLabel("nvidia.com/gpu.product", _NVIDIA_PRODUCT),),
        memory_labels=(MemoryLabel("nvidia.com/gpu.memory", MEBIBYTE),),
        shares=_NVIDIA_SHARES,
    ),
    Family(
        "NVIDIA",
        re.compile(r"(?P<name>nvidia\.com/mig-(?P<profile>.+?))(?P<shared>\.shared)?"),
        model_labels=(
            ModelLabel("{resource}.product", _NVIDIA_PRODUCT),
            ModelLabel("nvidia.com/gpu.product", _NVIDIA_PRODUCT),
        ),
        memory_labels=(MemoryLabel("{resource}.memory", MEBIBYTE),),
    ),
    Family(
        "NVIDIA", _device_class("gpu.nvidia.com"), model_labels=(ModelLabel("nvidia.com/gpu.product", _NVIDIA_PRODUCT),)
    ),
    Family(
        "NVIDIA", _device_class("mig.nvidia.com"), model_labels=(ModelLabel("nvidia.com/gpu.product", _NVIDIA_PRODUCT),)
    ),
)

_ASCEND_LABELS = (
    ModelLabel("node.kubernetes.io/npu.chip.name"),  # 910B3, 910B4-1, 310P3, Ascend910
    ModelLabel("servertype", re.compile(r"(?P<model>Ascend.+?)(?:-[0-9]+)?")),  # Ascend910B-20: with 20 AI cores
    ModelLabel("accelerator", re.compile(r"huawei-(?P<model>Ascend.+)")),  # huawei-Ascend910
)

_HUAWEI = (
    Family(
        "Huawei",
        re.compile(
            r"huawei\.com/(?P<model>Ascend[0-9]+[A-Z]?[0-9]*(?:-1|-V|-VPro|-IPro)?)"
            r"(?:-(?P<profile>[0-9]+c(?:\.[0-9a-z.]+)?|vir[0-9a-z_.]+))?"
        ),
        prefix="Ascend",
        model_labels=_ASCEND_LABELS,
        shares=_ASCEND_SHARES,
    ),
    Family(
        "Huawei",
        re.compile(r"huawei\.com/(?:npu|ascend-(?P<model>[0-9]+))"),
        prefix="Ascend",
        model_labels=_ASCEND_LABELS,
    ),
)

_OTHERS = (
    Family(
        "AMD",
        re.compile(r"amd\.com/(?:gpu|(?P<profile>[a-z]+_nps[0-9]+))"),
        model_labels=(ModelLabel("amd.com/gpu.product-name"), ModelLabel("beta.amd.com/gpu.product-name")),
        memory_labels=(MemoryLabel("amd.com/gpu.vram", GIBIBYTE), MemoryLabel("beta.amd.com/gpu.vram", GIBIBYTE)),
        partition_labels=("amd.com/compute-memory-partition",),
        whole=frozenset({"spx_nps1"}),
    ),
    Family("AMD", _device_class("gpu.amd.com"), model_labels=(ModelLabel("amd.com/gpu.product-name"),)),
    Family(
        "Intel",
        re.compile(r"gpu\.intel\.com/(?:i915|xe)"),
        model_labels=(ModelLabel("gpu.intel.com/product"),),
    ),
    Family("Intel", _device_class("gpu.intel.com"), model_labels=(ModelLabel("gpu.intel.com/product"),)),
    Family("Intel", re.compile(r"habana\.ai/gaudi"), model="Gaudi"),
    Family("Intel", _device_class("gaudi.intel.com"), model="Gaudi"),
    Family(
        "Cambricon",
        re.compile(r"cambricon\.com/(?P<model>mlu[0-9]*)(?:\.mim-(?P<profile>[0-9a-z.]+)|(?P<shared>\.share))?"),
    ),
    Family(
        "Hygon",
        re.compile(r"hygon\.com/(?:dcu(?:-(?P<profile>(?:share|mig)-[0-9a-z-]+))?|dcunum(?P<shared>))"),
        model="DCU",
        model_labels=(ModelLabel("hygon.com/dcu.name"),),
        memory_labels=(MemoryLabel("hygon.com/dcu.vram", GIBIBYTE),),
    ),
    Family("Moore Threads", re.compile(r"mthreads\.com/gpu")),
    Family("MetaX", re.compile(r"metax-tech\.com/gpu"), model_labels=(ModelLabel("metax-tech.com/gpu.product"),)),
    Family("Iluvatar", re.compile(r"iluvatar\.(?:com|ai)/gpu")),
    Family("Enflame", re.compile(r"enflame\.com/(?:gcu|(?P<shared>shared-gcu))"), model="GCU"),
    Family("Biren", re.compile(r"birentech\.com/(?:(?P<profile>1-[24])-)?gpu")),
    Family("Kunlunxin", re.compile(r"kunlunxin\.com/xpu"), model="XPU"),
)

FAMILIES: tuple[Family, ...] = (*_NVIDIA, *_HUAWEI, *_OTHERS)
