from typing import Any

import pytest

from isthmus.capacity import Accelerator, AcceleratorTable, model_matches

GIB = 1 << 30
MIB = 1 << 20
PRODUCT = "nvidia.com/gpu.product"
MEMORY = "nvidia.com/gpu.memory"
CHIP = "node.kubernetes.io/npu.chip.name"
AMD = {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/gpu.vram": "192G"}

# resource name, machine labels -> vendor, model, memory, partition, labels that lead there
KNOWN: list[Any] = [
    pytest.param(
        "nvidia.com/gpu",
        {PRODUCT: "NVIDIA-A100-SXM4-80GB", MEMORY: "81920"},
        ("NVIDIA", "NVIDIA-A100-SXM4-80GB", 81920 * MIB, None),
        {PRODUCT: "NVIDIA-A100-SXM4-80GB", MEMORY: "81920"},
        id="NVIDIA, whole",
    ),
    pytest.param(
        "nvidia.com/gpu",
        {PRODUCT: "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", MEMORY: "9728"},
        ("NVIDIA", "NVIDIA-A100-SXM4-80GB", 9728 * MIB, "1g.10gb"),
        {PRODUCT: "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", MEMORY: "9728"},
        id="NVIDIA, MIG strategy single",
    ),
    pytest.param(
        "nvidia.com/mig-3g.40gb",
        {
            PRODUCT: "NVIDIA-A100-SXM4-80GB",
            MEMORY: "81920",
            "nvidia.com/mig-3g.40gb.product": "NVIDIA-A100-SXM4-80GB-MIG-3g.40gb",
            "nvidia.com/mig-3g.40gb.memory": "40192",
        },
        ("NVIDIA", "NVIDIA-A100-SXM4-80GB", 40192 * MIB, "3g.40gb"),
        {
            "nvidia.com/mig-3g.40gb.product": "NVIDIA-A100-SXM4-80GB-MIG-3g.40gb",
            "nvidia.com/mig-3g.40gb.memory": "40192",
        },
        id="NVIDIA, MIG strategy mixed",
    ),
    pytest.param(
        "nvidia.com/mig-1g.10gb",
        {PRODUCT: "NVIDIA-A100-SXM4-80GB", MEMORY: "81920"},
        ("NVIDIA", "NVIDIA-A100-SXM4-80GB", None, "1g.10gb"),
        {PRODUCT: "NVIDIA-A100-SXM4-80GB"},
        id="NVIDIA, a slice does not have the memory of the whole",
    ),
    pytest.param(
        "nvidia.com/gpu",
        {PRODUCT: "Tesla-T4-SHARED", MEMORY: "15360"},
        ("NVIDIA", "Tesla-T4", 15360 * MIB, "shared"),
        {PRODUCT: "Tesla-T4-SHARED", MEMORY: "15360"},
        id="NVIDIA, time slicing",
    ),
    pytest.param(
        "nvidia.com/gpu.shared",
        {PRODUCT: "Tesla-T4"},
        ("NVIDIA", "Tesla-T4", None, "shared"),
        {PRODUCT: "Tesla-T4"},
        id="NVIDIA, time slicing under a name of its own",
    ),
    pytest.param(
        "nvidia.com/gpu",
        {PRODUCT: "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED"},
        ("NVIDIA", "NVIDIA-A100-SXM4-40GB", None, "1g.5gb-shared"),
        {PRODUCT: "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED"},
        id="NVIDIA, time slicing of a slice",
    ),
    pytest.param("nvidia.com/gpu", {}, ("NVIDIA", "unknown", None, None), {}, id="NVIDIA, no labels"),
    pytest.param(
        "nvidia.com/gpu",
        {PRODUCT: "", MEMORY: "lots"},
        ("NVIDIA", "unknown", None, None),
        {},
        id="NVIDIA, labels that say nothing",
    ),
    pytest.param(
        "huawei.com/Ascend910",
        {CHIP: "910B3", "servertype": "Ascend910B-20", "accelerator": "huawei-Ascend910"},
        ("Huawei", "Ascend910B3", None, None),
        {CHIP: "910B3"},
        id="Ascend, by chip",
    ),
    pytest.param(
        "huawei.com/Ascend910",
        {"servertype": "Ascend910B-20", "accelerator": "huawei-Ascend910"},
        ("Huawei", "Ascend910B", None, None),
        {"servertype": "Ascend910B-20"},
        id="Ascend, by server type",
    ),
    pytest.param(
        "huawei.com/Ascend310P",
        {"servertype": "soc", "accelerator": "huawei-Ascend310P"},
        ("Huawei", "Ascend310P", None, None),
        {"accelerator": "huawei-Ascend310P"},
        id="Ascend, by accelerator",
    ),
    pytest.param("huawei.com/Ascend910B4-1", {}, ("Huawei", "Ascend910B4-1", None, None), {}, id="Ascend, by name"),
    pytest.param("huawei.com/Ascend310P-V", {}, ("Huawei", "Ascend310P-V", None, None), {}, id="Ascend, a board"),
    pytest.param(
        "huawei.com/Ascend310P-2c.1cpu", {}, ("Huawei", "Ascend310P", None, "2c.1cpu"), {}, id="Ascend, virtual"
    ),
    pytest.param("huawei.com/ascend-1980", {}, ("Huawei", "Ascend1980", None, None), {}, id="Ascend, ModelArts"),
    pytest.param("huawei.com/npu", {}, ("Huawei", "unknown", None, None), {}, id="Ascend, no model in the name"),
    pytest.param("amd.com/gpu", AMD, ("AMD", "AMD_Instinct_MI300X_OAM", 192 * GIB, None), AMD, id="AMD"),
    pytest.param(
        "amd.com/gpu",
        {**AMD, "amd.com/compute-memory-partition": "cpx_nps4"},
        ("AMD", "AMD_Instinct_MI300X_OAM", 192 * GIB, "cpx_nps4"),
        {**AMD, "amd.com/compute-memory-partition": "cpx_nps4"},
        id="AMD, parted under the one name",
    ),
    pytest.param(
        "amd.com/gpu",
        {**AMD, "amd.com/compute-memory-partition": "spx_nps1"},
        ("AMD", "AMD_Instinct_MI300X_OAM", 192 * GIB, None),
        {**AMD, "amd.com/compute-memory-partition": "spx_nps1"},
        id="AMD, said to be whole",
    ),
    pytest.param(
        "amd.com/cpx_nps4", AMD, ("AMD", "AMD_Instinct_MI300X_OAM", 192 * GIB, "cpx_nps4"), AMD, id="AMD, parted"
    ),
    pytest.param(
        "gpu.intel.com/i915",
        {"gpu.intel.com/product": "Max_1550"},
        ("Intel", "Max_1550", None, None),
        {"gpu.intel.com/product": "Max_1550"},
        id="Intel",
    ),
    pytest.param("gpu.intel.com/xe", {}, ("Intel", "unknown", None, None), {}, id="Intel, new driver"),
    pytest.param("habana.ai/gaudi", {}, ("Intel", "Gaudi", None, None), {}, id="Gaudi"),
    pytest.param("cambricon.com/mlu", {}, ("Cambricon", "MLU", None, None), {}, id="Cambricon"),
    pytest.param("cambricon.com/mlu370", {}, ("Cambricon", "MLU370", None, None), {}, id="Cambricon, by type"),
    pytest.param(
        "cambricon.com/mlu370.mim-2m.8gb", {}, ("Cambricon", "MLU370", None, "2m.8gb"), {}, id="Cambricon, instance"
    ),
    pytest.param("cambricon.com/mlu370.share", {}, ("Cambricon", "MLU370", None, "shared"), {}, id="Cambricon, shared"),
    pytest.param(
        "hygon.com/dcu",
        {"hygon.com/dcu": "true", "hygon.com/dcu.name": "K100_AI", "hygon.com/dcu.vram": "64G"},
        ("Hygon", "K100_AI", 64 * GIB, None),
        {"hygon.com/dcu.name": "K100_AI", "hygon.com/dcu.vram": "64G"},
        id="Hygon",
    ),
    pytest.param("hygon.com/dcunum", {}, ("Hygon", "DCU", None, "shared"), {}, id="Hygon, virtual"),
    pytest.param("hygon.com/dcu-mig-2g-15gb", {}, ("Hygon", "DCU", None, "mig-2g-15gb"), {}, id="Hygon, instance"),
]


@pytest.mark.parametrize(("resource", "labels", "told", "leading"), KNOWN)
def test_classify(
    resource: str, labels: dict[str, str], told: tuple[str, str, int | None, str | None], leading: dict[str, str]
) -> None:
    """A resource name and a machine's labels give the accelerator, and the labels that lead to such machines."""
    found = AcceleratorTable.default().classify(resource, {"kubernetes.io/os": "linux", **labels})
    assert found is not None
    assert (found.vendor, found.model, found.memory_bytes, found.partition_profile) == told
    assert dict(found.labels) == leading
    assert found.resource_name == resource


@pytest.mark.parametrize(
    "resource",
    [
        "cpu",
        "memory",
        "hugepages-2Mi",
        "example.com/fpga",
        "nvidia.com/gpumem",
        "nvidia.com/gpucores",
        "huawei.com/Ascend910-NetworkUnhealthy",
        "huawei.com/Ascend910B4-memory",
        "huawei.com/npu-core",
        "gpu.intel.com/i915_monitoring",
        "gpu.intel.com/millicores",
        "cambricon.com/mlu370.smlu.vcore",
        "hygon.com/dcumem",
        "hygon.com/dcucores",
        "rdma/hca",
    ],
)
def test_no_accelerator(resource: str) -> None:
    """Parts of a card (memory, cores), health counters and everything else are no accelerators."""
    table = AcceleratorTable.default()
    assert table.classify(resource, {}) is None
    assert not table.is_accelerator(resource)
    assert table.model_label(resource) is None


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ("nvidia.com/gpu", PRODUCT),
        ("nvidia.com/mig-1g.10gb", "nvidia.com/mig-1g.10gb.product"),
        ("huawei.com/Ascend910", CHIP),
        ("mthreads.com/gpu", None),
    ],
)
def test_model_label(resource: str, key: str | None) -> None:
    """The label that names the model is known by the resource name, where the vendor sets one."""
    assert AcceleratorTable.default().model_label(resource) == key


def test_extended() -> None:
    """Own entries go before the table's, an exact name before a pattern, and the table itself stays as it was."""
    default = AcceleratorTable.default()
    table = default.extended(
        [
            {"resourceName": "example.com/*", "vendor": "Example"},
            {
                "resourceName": "example.com/npu",
                "vendor": "Example",
                "model": "X1",
                "modelLabel": "example.com/model",
                "memoryLabel": "example.com/memory",
                "memoryUnit": "GiB",
                "partitionProfile": "half",
            },
            {"resourceName": "nvidia.com/gpu", "vendor": "NVIDIA", "modelLabel": "company.example/gpu"},
        ]
    )
    assert table.classify("example.com/other", {}) == Accelerator("Example", "example.com/other", "unknown")
    assert table.classify("example.com/npu", {"example.com/memory": "32"}) == Accelerator(
        "Example", "example.com/npu", "X1", 32 * GIB, "half", None, (("example.com/memory", "32"),)
    )
    own = table.classify("nvidia.com/gpu", {"company.example/gpu": "A100", PRODUCT: "NVIDIA-A100-SXM4-80GB"})
    assert own == Accelerator("NVIDIA", "nvidia.com/gpu", "A100", label=("company.example/gpu", "A100"))
    assert table.is_accelerator("amd.com/gpu")
    assert not default.is_accelerator("example.com/npu")


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"vendor": "Example"}, "resourceName"),
        ({"resourceName": "example.com/npu", "vendor": ""}, "vendor"),
        ({"resourceName": "example.com/npu", "vendor": "Example", "memoryUnit": "GB"}, "memoryUnit|GB"),
        ({"resourceName": "example.com/npu", "vendor": "Example", "labels": []}, "labels"),
    ],
    ids=["no name", "empty vendor", "wrong unit", "unknown field"],
)
def test_wrong_entry(entry: dict[str, object], complaint: str) -> None:
    """A wrong entry is refused with the name of what is wrong in it."""
    with pytest.raises(ValueError, match=complaint):
        AcceleratorTable.default().extended([entry])


def test_names_without_end() -> None:
    """A member that makes up ever new resource names costs no memory without bound, and the table stays right."""
    table = AcceleratorTable.default()
    for i in range(10_000):
        assert not table.is_accelerator(f"example.com/r{i}")
    assert len(table._found) < 10_000
    assert table.is_accelerator("nvidia.com/gpu")


@pytest.mark.parametrize(
    ("request_", "model", "matches"),
    [
        ("A100", "NVIDIA-A100-SXM4-80GB", True),
        ("a100", "NVIDIA-A100-SXM4-80GB", True),
        ("A100-SXM4", "NVIDIA-A100-SXM4-80GB", True),
        ("NVIDIA A100", "NVIDIA-A100-SXM4-80GB", True),
        ("MI300X", "AMD_Instinct_MI300X_OAM", True),
        ("NVIDIA-A100-SXM4-80GB", "NVIDIA-A100-SXM4-80GB", True),
        ("A10", "NVIDIA-A100-SXM4-80GB", False),
        ("A100-80GB", "NVIDIA-A100-SXM4-80GB", False),
        ("Ascend910B", "Ascend910B3", False),
        ("NVIDIA-A100-SXM4-80GB-PCIE", "NVIDIA-A100-SXM4-80GB", False),
        ("-", "NVIDIA-A100-SXM4-80GB", False),
    ],
)
def test_model_matches(request_: str, model: str, matches: bool) -> None:
    """A requested model matches where its words stand in the model one after another, whole, in any case."""
    assert model_matches(request_, model) is matches


def test_meter_model() -> None:
    """A partition is metered, and so priced, apart from the whole card."""
    assert Accelerator("NVIDIA", "nvidia.com/gpu", "A100").meter_model == "A100"
    assert Accelerator("NVIDIA", "nvidia.com/mig-1g.10gb", "A100", None, "1g.10gb").meter_model == "A100/1g.10gb"
