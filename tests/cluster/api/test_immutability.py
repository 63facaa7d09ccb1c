import json
from typing import Any

import pytest
from tests.cluster.api.conftest import Make
from tests.cluster.api.manifests import JOB_SPEC, SPECS, TARIFF, one

from testbed import ApiError, Cluster

OTHER_POD = {"spec": {**JOB_SPEC["template"]["spec"], "hostNetwork": True}}
POLICY = {"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [3]}}]}
FENCE = {"afterSeconds": 300, "stopAllowanceSeconds": 60}
TARIFF_REFERENCE = {"version": "1", "digest": "a"}

# kind, what the object is made with, its status, what is changed, the path that the refusal names
REFUSED: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "node: identity code": (
        "ComputeNode",
        {},
        {},
        {"identity": {"code": "another"}},
        "spec.identity: Invalid value: identity is immutable",
    ),
    "node: identity issuer added": (
        "ComputeNode",
        {},
        {},
        {"identity": {"issuer": "somebody"}},
        "spec.identity: Invalid value: identity is immutable",
    ),
    "node: from kubeconfig to local": (
        "ComputeNode",
        {},
        {},
        {"access": {"kubeConfig": None, "local": {}}},
        "spec.access: Invalid value: the kind of access is immutable",
    ),
    "job: template changed": (
        "ComputeJob",
        {},
        {},
        {"template": {"completions": 3}},
        "spec.template: Invalid value: the template is immutable",
    ),
    "job: image changed": (
        "ComputeJob",
        {},
        {},
        {"template": {"template": {"spec": {"containers": [{"name": "main", "image": "other"}]}}}},
        "spec.template: Invalid value: the template is immutable",
    ),
    "job: a field of the pod swapped for another": (
        "ComputeJob",
        {"spec.template.template": OTHER_POD},
        {},
        {"template": {"template": {"spec": {"hostNetwork": None, "hostPID": True}}}},
        "spec.template: Invalid value: the template is immutable",
    ),
    "job: a field of the template swapped for another": (
        "ComputeJob",
        {"spec.template.backoffLimit": 3},
        {},
        {"template": {"backoffLimit": None, "backoffLimitPerIndex": 3}},
        "spec.template: Invalid value: the template is immutable",
    ),
    "job: one policy swapped for another": (
        "ComputeJob",
        {"spec.template.podFailurePolicy": POLICY},
        {},
        {"template": {"podFailurePolicy": None, "successPolicy": POLICY}},
        "spec.template: Invalid value: the template is immutable",
    ),
    "job: a rule of a policy changed": (
        "ComputeJob",
        {"spec.template.podFailurePolicy": POLICY},
        {},
        {"template": {"podFailurePolicy": {"rules": [{**POLICY["rules"][0], "action": "Count"}]}}},
        "spec.template: Invalid value: the template is immutable",
    ),
    "job: a variant changed": (
        "ComputeJob",
        {"spec.variants": [{"name": "a", "image": "one"}]},
        {},
        {"variants": [{"name": "a", "image": "two"}]},
        "spec.variants: Invalid value: the variants are immutable",
    ),
    "job: variants added": (
        "ComputeJob",
        {},
        {},
        {"variants": [{"name": "a"}]},
        "spec.variants: Invalid value: the variants are immutable",
    ),
    "job: placement once dispatched": (
        "ComputeJob",
        {},
        {"phase": "Dispatched"},
        {"placement": {"tiers": ["Edge"]}},
        "spec.placement: Invalid value: the placement is immutable once the job is placed",
    ),
    "job: placement once finished": (
        "ComputeJob",
        {"spec.placement.tiers": ["Edge"]},
        {"phase": "Succeeded"},
        {"placement": {"tiers": ["Edge", "Core"]}},
        "spec.placement: Invalid value: the placement is immutable once the job is placed",
    ),
    "job: placement while suspended on a node": (
        "ComputeJob",
        {},
        {"phase": "Suspended", "shards": [{"node": "n", "dispatch": "d", "attempt": 1, "state": "Suspended"}]},
        {"placement": {"objective": "Cheapest"}},
        "spec.placement: Invalid value: the placement is immutable once the job is placed",
    ),
    "job: cancelled taken up": (
        "ComputeJob",
        {"spec.cancel": True},
        {},
        {"cancel": False},
        "spec.cancel: Invalid value: a cancelled job can't be taken up again",
    ),
    "dispatch: job": ("Dispatch", {}, {}, {"job": {"name": "other"}}, "spec.job: Invalid value: immutable"),
    "dispatch: account": ("Dispatch", {}, {}, {"account": "other"}, "spec.account: Invalid value: immutable"),
    "dispatch: shard": ("Dispatch", {}, {}, {"shard": 1}, "spec.shard: Invalid value: immutable"),
    "dispatch: attempt": ("Dispatch", {}, {}, {"attempt": 2}, "spec.attempt: Invalid value: immutable"),
    "dispatch: sequence": ("Dispatch", {}, {}, {"sequence": 8}, "spec.sequence: Invalid value: immutable"),
    "dispatch: tariff added": (
        "Dispatch",
        {},
        {},
        {"tariff": TARIFF_REFERENCE},
        "spec.tariff: Invalid value: immutable",
    ),
    "dispatch: tariff changed": (
        "Dispatch",
        {"spec.tariff": TARIFF_REFERENCE},
        {},
        {"tariff": {"digest": "b"}},
        "spec.tariff: Invalid value: immutable",
    ),
    "dispatch: tariff removed": (
        "Dispatch",
        {"spec.tariff": TARIFF_REFERENCE},
        {},
        {"tariff": None},
        "spec.tariff: Invalid value: immutable",
    ),
    "dispatch: indexes added": (
        "Dispatch",
        {},
        {},
        {"indexes": "0-3"},
        "spec.indexes: Invalid value: immutable",
    ),
    "dispatch: indexes changed": (
        "Dispatch",
        {"spec.indexes": "0-3"},
        {},
        {"indexes": "0-4"},
        "spec.indexes: Invalid value: immutable",
    ),
    "dispatch: fence lowered": (
        "Dispatch",
        {"spec.fence": FENCE},
        {},
        {"fence": {"afterSeconds": 5}},
        "spec.fence: Invalid value: immutable",
    ),
    "dispatch: fence removed": (
        "Dispatch",
        {"spec.fence": FENCE},
        {},
        {"fence": None},
        "spec.fence: Invalid value: immutable",
    ),
    "dispatch: manifest": (
        "Dispatch",
        {},
        {},
        {"manifest": {"metadata": {"name": "other"}}},
        "spec.manifest: Invalid value: immutable",
    ),
    "dispatch: a field of the manifest swapped for another": (
        "Dispatch",
        {"spec.manifest.spec.suspend": True},
        {},
        {"manifest": {"spec": {"suspend": None, "manualSelector": True}}},
        "spec.manifest: Invalid value: immutable",
    ),
    "dispatch: cancelled taken up": (
        "Dispatch",
        {"spec.desiredState": "Cancelled"},
        {},
        {"desiredState": "Running"},
        "spec.desiredState: Invalid value: a cancelled shard can't be taken up again",
    ),
    "settlement: party": (
        "Settlement",
        {},
        {},
        {"party": "Node", "node": "north"},
        "spec.party: Invalid value: party is immutable",
    ),
    "settlement: node": (
        "Settlement",
        {"spec.party": "Node", "spec.node": "north"},
        {},
        {"node": "south"},
        "spec.node: Invalid value: node is immutable",
    ),
    "settlement: period": (
        "Settlement",
        {},
        {},
        {"period": {"end": "2027-01-01T00:00:00Z"}},
        "spec.period: Invalid value: period is immutable",
    ),
    "settlement: currency": (
        "Settlement",
        {},
        {},
        {"currency": "USD"},
        "spec.currency: Invalid value: currency is immutable",
    ),
}


@pytest.mark.parametrize(("kind", "base", "status", "change", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(
    hub: Cluster,
    make: Make,
    kind: str,
    base: dict[str, Any],
    status: dict[str, Any],
    change: dict[str, Any],
    message: str,
) -> None:
    """What must not change is refused with the field and the reason, and stays as it was."""
    before = make(kind, base)["spec"]
    if status:
        hub.rest.patch(one(kind, suffix="/status"), {"status": status})
    with pytest.raises(ApiError) as refusal:
        hub.rest.patch(one(kind), {"spec": change})
    assert refusal.value.code == 422
    assert message in json.loads(refusal.value.body)["message"]
    assert hub.get_json(one(kind))["spec"] == before


ALLOWED: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "node: another Secret": ("ComputeNode", {}, {}, {"access": {"kubeConfig": {"secretRef": {"name": "new"}}}}),
    "node: cordon": ("ComputeNode", {}, {}, {"schedulingState": "Cordoned"}),
    "node: drain": ("ComputeNode", {"spec.schedulingState": "Cordoned"}, {}, {"schedulingState": "Drained"}),
    "node: fence": ("ComputeNode", {}, {}, {"timing": {"fenceAfterSeconds": 60}}),
    "node: tier and region": ("ComputeNode", {}, {}, {"tier": "Edge", "region": {"code": "cn-west"}}),
    "node: a tariff": ("ComputeNode", {}, {}, {"tariff": TARIFF}),
    "job: placement before any status": ("ComputeJob", {}, {}, {"placement": {"tiers": ["Edge"]}}),
    "job: placement while pending": ("ComputeJob", {}, {"phase": "Pending"}, {"placement": {"tiers": ["Edge"]}}),
    "job: placement while suspended nowhere": (
        "ComputeJob",
        {"spec.suspend": True},
        {"phase": "Suspended"},
        {"placement": {"tiers": ["Edge"]}},
    ),
    "job: suspend, priority and lifetime while it runs": (
        "ComputeJob",
        {},
        {"phase": "Running"},
        {"suspend": True, "priority": 5, "ttlSecondsAfterFinished": 60},
    ),
    "job: cancel": ("ComputeJob", {}, {"phase": "Running"}, {"cancel": True}),
    "dispatch: suspend": ("Dispatch", {}, {}, {"desiredState": "Suspended"}),
    "dispatch: cancel": ("Dispatch", {"spec.desiredState": "Suspended"}, {}, {"desiredState": "Cancelled"}),
    "settlement: the same again": ("Settlement", {}, {}, SPECS["Settlement"]),
}


def merged(before: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The object after a merge patch that removes nothing."""
    return before | {
        key: merged(before.get(key, {}), value) if isinstance(value, dict) else value for key, value in change.items()
    }


@pytest.mark.parametrize(("kind", "base", "status", "change"), ALLOWED.values(), ids=ALLOWED)
def test_allowed(
    hub: Cluster, make: Make, kind: str, base: dict[str, Any], status: dict[str, Any], change: dict[str, Any]
) -> None:
    """What may change does."""
    before = make(kind, base)["spec"]
    if status:
        hub.rest.patch(one(kind, suffix="/status"), {"status": status})
    assert hub.rest.patch(one(kind), {"spec": change})["spec"] == merged(before, change)


def test_every_field_of_a_job_is_declared(hub: Cluster) -> None:
    """The template's schema names each field that this API server's JobSpec has, or a swap of two could pass."""
    batch = hub.get_json("/openapi/v3/apis/batch/v1")["components"]["schemas"]
    served = set(batch["io.k8s.api.batch.v1.JobSpec"]["properties"])
    ours = hub.get_json("/openapi/v3/apis/isthmus.dev/v1alpha1")["components"]["schemas"]
    spec = ours["dev.isthmus.v1alpha1.ComputeJob"]["properties"]["spec"]
    assert served <= set(spec["properties"]["template"]["properties"])
