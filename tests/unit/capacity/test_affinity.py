from isthmus.capacity import Accelerator, affinity_terms

PRODUCT = "nvidia.com/gpu.product"
MEMORY = "nvidia.com/gpu.memory"


def gpu(model: str, memory: str | None = None) -> Accelerator:
    """An accelerator whose machines carry these labels."""
    others = ((MEMORY, memory),) if memory else ()
    return Accelerator("NVIDIA", "nvidia.com/gpu", model, label=(PRODUCT, model), other_labels=others)


def test_one_term() -> None:
    """Accelerators told by the same label keys share a term: any accepted model with any accepted memory."""
    terms = affinity_terms([gpu("B", "80"), gpu("A", "40"), gpu("A", "80")])
    assert terms == ({MEMORY: ("40", "80"), PRODUCT: ("A", "B")},)


def test_alternatives() -> None:
    """Accelerators told by different keys are alternatives."""
    assert affinity_terms([gpu("A", "40"), gpu("B")]) == ({MEMORY: ("40",), PRODUCT: ("A",)}, {PRODUCT: ("B",)})


def test_untellable() -> None:
    """Nothing is required where one of the accelerators has no label: the pod could not go there."""
    assert affinity_terms([gpu("A"), Accelerator("Biren", "birentech.com/gpu", "unknown")]) == ()
    assert affinity_terms([]) == ()
