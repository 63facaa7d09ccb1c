import pytest

from isthmus.placement.nearest import nearest_models

OFFERED = ("Ascend910B3", "NVIDIA-A10", "NVIDIA-A100-SXM4-80GB", "Tesla-T4")


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        pytest.param(("H100",), ("NVIDIA-A100-SXM4-80GB",), id="a word"),
        pytest.param(("a100-sxm5",), ("NVIDIA-A100-SXM4-80GB",), id="in any case"),
        pytest.param(("Ascend910C",), ("Ascend910B3",), id="the whole"),
        pytest.param(("T44", "T40"), ("Tesla-T4",), id="told once"),
        pytest.param(("Gaudi",), (), id="nothing like it"),
        pytest.param((), (), id="nothing wanted"),
    ],
)
def test_nearest(wanted: tuple[str, ...], nearest: tuple[str, ...]) -> None:
    """A model that nobody has is answered with the one most like it, or with none."""
    assert nearest_models(wanted, OFFERED) == nearest
