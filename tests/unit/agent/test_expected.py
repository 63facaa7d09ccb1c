from typing import Any

import msgspec
import pytest
from tests.unit.agent.objects import dispatch
from tests.unit.agent.world import HUB_UID, NODE, TENANT

from isthmus.agent.expected import Expectations
from isthmus.agent.view import MemberView
from isthmus.api.core import Job, Pod
from isthmus.api.names import LABEL_DISPATCH, LABEL_HUB, LABEL_NODE, LABEL_QUEUE
from isthmus.capacity import AcceleratorTable
from isthmus.clusters import FakeCluster

LABELS = {LABEL_HUB: HUB_UID, LABEL_DISPATCH: "d", LABEL_NODE: NODE}
CONTAINER = {"name": "main", "resources": {"requests": {"cpu": "2", "memory": "1Gi"}}}


def _spec(*, pod: Any = None, **fields: Any) -> dict[str, Any]:
    return {**fields, "template": {"spec": {"containers": [CONTAINER], **(pod or {})}}}


def _view(pods: list[tuple[str, str]], job: Any = None, labels: Any = None) -> MemberView:
    """A member with pods of these (phase, machine) and, where given, a Job of that spec and status, with `labels`."""
    nothing: Any = lambda *_: None  # noqa: E731 - it hears of everything and does nothing
    view = MemberView(
        FakeCluster("member"),
        HUB_UID,
        NODE,
        AcceleratorTable.default(),
        clock=lambda: 0.0,
        on_shard=nothing,
        on_capacity=nothing,
        on_connection=nothing,
    )
    for number, (phase, machine) in enumerate(pods):
        metadata = {"name": f"p{number}", "uid": f"p{number}", "namespace": TENANT, "labels": LABELS}
        found = {"metadata": metadata, "spec": {"nodeName": machine}, "status": {"phase": phase}}
        view._pod("ADDED", None, msgspec.convert(found, Pod))
    if job is not None:
        metadata = {"name": "d", "uid": "j", "namespace": TENANT, "labels": {**LABELS, **(labels or {})}}
        view._job("ADDED", None, msgspec.convert({"metadata": metadata, **job}, Job))
    return view


def _count(spec: Any, view: MemberView, desired: str = "Running") -> int:
    return sum(each.count for each in Expectations().of([dispatch("Accepted", desired, spec=spec)], view))


RUNS: list[tuple[str, str]] = [("Running", "m"), ("Pending", "m"), ("Pending", "")]
COMPLETE = [{"type": "Complete", "status": "True"}]


@pytest.mark.parametrize(
    ("spec", "view", "count"),
    [
        pytest.param(_spec(), _view([]), 1, id="a plain pod that has yet to come"),
        pytest.param(_spec(parallelism=4), _view([]), 4, id="a work queue"),
        pytest.param(_spec(parallelism=4, completions=2), _view([]), 2, id="no more than there are completions"),
        pytest.param(_spec(parallelism=4, completions=9), _view(RUNS), 2, id="less those on machines"),
        pytest.param(_spec(parallelism=2, completions=9), _view([("Succeeded", "m")]), 2, id="ended pods are no pods"),
        pytest.param(
            _spec(parallelism=4, completions=9),
            _view(RUNS, {"spec": {}, "status": {"succeeded": 7}}),
            0,
            id="the last of them run",
        ),
        pytest.param(
            _spec(parallelism=4, completions=9), _view([], {"spec": {"suspend": True}}), 0, id="its Job is suspended"
        ),
        pytest.param(
            _spec(parallelism=4, completions=9),
            _view([], {"spec": {"suspend": True}}, {LABEL_QUEUE: "lent"}),
            4,
            id="its Job waits in a queue of the member",
        ),
        pytest.param(
            _spec(parallelism=4, completions=9), _view([], {"status": {"conditions": COMPLETE}}), 0, id="its Job ended"
        ),
        pytest.param(_spec(parallelism=0), _view([]), 0, id="none at all"),
    ],
)
def test_count(spec: Any, view: MemberView, count: int) -> None:
    """A shard is to have its width in pods, less those that stand on machines, and none once it has ended."""
    assert _count(spec, view) == count


@pytest.mark.parametrize("desired", ["Suspended", "Cancelled"])
def test_nothing_is_to_come_of_what_shall_not_run(desired: str) -> None:
    """Before there is a Job, the desired state says whether pods are to come."""
    assert _count(_spec(parallelism=4), _view([]), desired) == 0


def test_request_and_machines() -> None:
    """What each pod asks for, and the machines that it may stand on: selector and required affinity."""
    terms = [
        {
            "matchExpressions": [
                {"key": "gpu", "operator": "In", "values": ["A100", "H100"]},
                {"key": "other", "operator": "Exists"},
            ]
        }
    ]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    tolerations = [{"key": "k", "operator": "Exists"}]
    pod = {"nodeSelector": {"zone": "a"}, "affinity": affinity, "tolerations": tolerations}
    (found,) = Expectations().of([dispatch("Accepted", spec=_spec(pod=pod))], _view([]))
    assert dict(found.labels) == {"zone": ("a",), "gpu": ("A100", "H100")}
    assert (found.request["cpu"], found.count) == (2000, 1)
    assert [(each.key, each.operator) for each in found.tolerations] == [("k", "Exists")]


def test_templates_are_forgotten_with_their_dispatches() -> None:
    """What is remembered of Dispatches is bounded by those that stand."""
    expectations = Expectations()
    expectations.of([dispatch("Accepted", spec=_spec())], _view([]))
    assert len(expectations._templates) == 1
    expectations.of([], _view([]))
    assert expectations._templates == {}
