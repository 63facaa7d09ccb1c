import pytest

from isthmus.api.core import NodeTaint, PodToleration
from isthmus.capacity import MachineTaint, untolerated
from isthmus.capacity.taints import hard_taints

GPU = MachineTaint("gpu", "a100", "NoSchedule")
DRAIN = MachineTaint("drain", "", "NoExecute")


@pytest.mark.parametrize(
    ("tolerations", "left"),
    [
        pytest.param([], GPU, id="none"),
        pytest.param([PodToleration(operator="Exists")], None, id="everything"),
        pytest.param([PodToleration(key="gpu", operator="Exists")], DRAIN, id="one key"),
        pytest.param([PodToleration(key="gpu", value="a100"), PodToleration(key="drain")], None, id="equal values"),
        pytest.param([PodToleration(key="gpu", value="h100")], GPU, id="another value"),
        pytest.param([PodToleration(key="gpu", operator="", value="a100")], DRAIN, id="no operator is Equal"),
        pytest.param([PodToleration(key="gpu", operator="Exists", effect="NoExecute")], GPU, id="another effect"),
        pytest.param([PodToleration(operator="Equal", value="a100")], GPU, id="no key matches all only with Exists"),
        pytest.param([PodToleration(key="gpu", operator="Gt", value="a100")], GPU, id="an operator not known here"),
    ],
)
def test_untolerated(tolerations: list[PodToleration], left: MachineTaint | None) -> None:
    """The first taint that no toleration covers is named; none where the pod may be bound."""
    assert untolerated([GPU, DRAIN], tolerations) == left


def test_hard_taints() -> None:
    """Taints that keep pods off are kept once each, in a canonical order; wishes are not."""
    taints = [
        NodeTaint(key="z", value="1", effect="NoExecute"),
        NodeTaint(key="soft", effect="PreferNoSchedule"),
        NodeTaint(key="a", effect="NoSchedule"),
        NodeTaint(key="z", value="1", effect="NoExecute"),
    ]
    assert hard_taints(taints) == (MachineTaint("a", "", "NoSchedule"), MachineTaint("z", "1", "NoExecute"))
