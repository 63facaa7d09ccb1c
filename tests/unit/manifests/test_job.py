import re
from copy import deepcopy
from typing import Any

import pytest

from isthmus.api.computejob import ComputeJob
from isthmus.manifests import render

HUB = "0b54f1e6-6f0a-4e5e-9f0e-000000000001"
UID = "7d9f1f8a-1111-4222-8333-000000000002"
CONTAINERS = [{"name": "main", "image": "busybox"}]
IGNORE = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
A100 = ("nvidia.com/gpu.product", ("A100", "A800"))
MIG = ("nvidia.com/mig.capable", ("true",))


def job(template: dict[str, Any], name: str = "train") -> ComputeJob:
    """A ComputeJob of the tenant `team`."""
    return ComputeJob.model_validate(
        {"metadata": {"name": name, "namespace": "team", "uid": UID}, "spec": {"template": template}}
    )


def rendered(template: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The Job of the template's first shard."""
    asked: dict[str, Any] = {
        "hub_uid": HUB,
        "node": "core-1",
        "shard": 0,
        "attempt": 1,
        "affinity": (),
        "suspend": False,
    } | options
    return render(job(template), **asked)


def template(pod: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A JobSpec with restartPolicy Never."""
    return {"template": {"spec": {"restartPolicy": "Never", "containers": CONTAINERS} | (pod or {})}, **fields}


def test_whole_manifest() -> None:
    """The whole Job of an Indexed template with what a user may have set is as written here."""
    asked = template(
        completions=8,
        parallelism=4,
        completionMode="Indexed",
        backoffLimit=3,
        ttlSecondsAfterFinished=5,
        suspend=True,
        podReplacementPolicy="TerminatingOrFailed",
    )
    asked["template"]["metadata"] = {"labels": {"app": "train"}, "annotations": {"a": "b"}}
    assert rendered(asked, affinity=[A100]) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "train-89b3060496",
            "namespace": "iwt-6136396e-ca8b22d0db83",
            "labels": {
                "app.kubernetes.io/managed-by": "isthmus",
                "isthmus.dev/hub": HUB,
                "isthmus.dev/node": "core-1",
                "isthmus.dev/dispatch": "train-89b3060496",
                "isthmus.dev/job-namespace": "team",
                "isthmus.dev/job-uid": UID,
            },
            "annotations": {"isthmus.dev/job-name": "train"},
        },
        "spec": {
            "completions": 8,
            "parallelism": 4,
            "completionMode": "Indexed",
            "backoffLimit": 3,
            "suspend": False,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": [IGNORE]},
            "template": {
                "metadata": {
                    "labels": {
                        "app": "train",
                        "isthmus.dev/hub": HUB,
                        "isthmus.dev/node": "core-1",
                        "isthmus.dev/dispatch": "train-89b3060496",
                    },
                    "annotations": {"a": "b"},
                    "finalizers": ["isthmus.dev/metering"],
                },
                "spec": {
                    "restartPolicy": "Never",
                    "containers": CONTAINERS,
                    "automountServiceAccountToken": False,
                    "affinity": {
                        "nodeAffinity": {
                            "requiredDuringSchedulingIgnoredDuringExecution": {
                                "nodeSelectorTerms": [
                                    {
                                        "matchExpressions": [
                                            {
                                                "key": "nvidia.com/gpu.product",
                                                "operator": "In",
                                                "values": ["A100", "A800"],
                                            }
                                        ]
                                    }
                                ]
                            }
                        }
                    },
                },
            },
        },
    }


def test_input_untouched() -> None:
    """Rendering changes nothing of the ComputeJob, and what it returns shares nothing with it."""
    asked = template({"affinity": {"nodeAffinity": {}}}, podFailurePolicy={"rules": [dict(IGNORE)]}, suspend=True)
    whole = job(asked)
    before = deepcopy(whole.spec.template)
    manifest = render(whole, hub_uid=HUB, node="n", shard=0, attempt=1, affinity=[A100], suspend=False)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "changed"
    manifest["spec"]["podFailurePolicy"]["rules"][0]["action"] = "changed"
    assert whole.spec.template == before


RULE = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
POLICIES = {
    "Never without rules": (template(), {"rules": [IGNORE]}),
    "Never with a rule": (template(podFailurePolicy={"rules": [RULE]}), {"rules": [IGNORE, RULE]}),
    "Never with ours first": (template(podFailurePolicy={"rules": [IGNORE, RULE]}), {"rules": [IGNORE, RULE]}),
    "Never with ours last": (template(podFailurePolicy={"rules": [RULE, IGNORE]}), {"rules": [IGNORE, RULE, IGNORE]}),
    "ours for another status": (
        template(podFailurePolicy={"rules": [{**IGNORE, "onPodConditions": [{"type": "Ready", "status": "True"}]}]}),
        {"rules": [IGNORE, {**IGNORE, "onPodConditions": [{"type": "Ready", "status": "True"}]}]},
    ),
    "OnFailure": (template({"restartPolicy": "OnFailure"}), None),
}


@pytest.mark.parametrize(("asked", "policy"), POLICIES.values(), ids=POLICIES)
def test_disruptions_ignored(asked: dict[str, Any], policy: dict[str, Any] | None) -> None:
    """Where the API server allows it, the first failure rule ignores disruptions; the user's follow."""
    assert rendered(asked)["spec"].get("podFailurePolicy") == policy


def expression(key: str, *values: str) -> dict[str, Any]:
    """One match expression."""
    return {"key": key, "operator": "In", "values": list(values)}


ZONE = expression("zone", "a")
FIELD = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
ADDED = [expression("nvidia.com/gpu.product", "A100", "A800"), expression("nvidia.com/mig.capable", "true")]
AFFINITIES: dict[str, tuple[Any, Any]] = {
    "none": (None, [{"matchExpressions": ADDED}]),
    "one term": ([{"matchExpressions": [ZONE]}], [{"matchExpressions": [ZONE, *ADDED]}]),
    "alternatives": (
        [{"matchExpressions": [ZONE]}, {"matchFields": [FIELD]}],
        [{"matchExpressions": [ZONE, *ADDED]}, {"matchFields": [FIELD], "matchExpressions": ADDED}],
    ),
    "an empty alternative matches nothing": (
        [{}, {"matchExpressions": [ZONE]}],
        [{}, {"matchExpressions": [ZONE, *ADDED]}],
    ),
}


@pytest.mark.parametrize(("terms", "expected"), AFFINITIES.values(), ids=AFFINITIES)
def test_affinity_joins_every_term(terms: Any, expected: Any) -> None:
    """Requirements hold in each alternative of the user's own node affinity, and the rest of it stays."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {}}]}
    own = preferred | ({} if terms is None else {required: {"nodeSelectorTerms": terms}})
    asked = template({"affinity": {"podAntiAffinity": {}, "nodeAffinity": own}, "nodeSelector": {"disk": "ssd"}})
    pod = rendered(asked, affinity=[A100, MIG])["spec"]["template"]["spec"]
    assert pod["affinity"] == {
        "podAntiAffinity": {},
        "nodeAffinity": preferred | {required: {"nodeSelectorTerms": expected}},
    }
    assert pod["nodeSelector"] == {"disk": "ssd"}


def test_no_requirement_no_affinity() -> None:
    """Without requirements the pod's affinity is the user's, or none."""
    assert "affinity" not in rendered(template())["spec"]["template"]["spec"]


@pytest.mark.parametrize(("asked", "expected"), [(None, False), (False, False), (True, True)])
def test_token(asked: bool | None, expected: bool) -> None:
    """No service-account token is mounted unless the template asks for one."""
    pod = {} if asked is None else {"automountServiceAccountToken": asked}
    assert rendered(template(pod))["spec"]["template"]["spec"]["automountServiceAccountToken"] is expected


@pytest.mark.parametrize("suspend", [True, False])
def test_suspend(suspend: bool) -> None:
    """Whether the Job starts suspended is the hub's to say, whatever the template does."""
    assert rendered(template(suspend=not suspend), suspend=suspend)["spec"]["suspend"] is suspend


NAMES = {
    "63 characters": "a" * 63,
    "253 characters with dots": ".".join(["abc.de", *["x" * 40] * 6])[:253].rstrip(".-"),
    "a dot where it is cut": "a" * 40 + "." + "b" * 12,
    "hyphens where it is cut": "a" * 30 + "-" * 20 + "b",
    "one digit": "0",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_fit(name: str) -> None:
    """Whatever the ComputeJob's name, the Job's name with the largest index is a DNS label, and labels are valid."""
    asked = template(completions=2_147_483_647, completionMode="Indexed")
    manifest = render(job(asked, name), hub_uid=HUB, node="n" * 50, shard=63, attempt=9, affinity=(), suspend=False)
    label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
    assert_matches(label, f"{manifest['metadata']['name']}-2147483646", 63)
    assert_matches(label, manifest["metadata"]["namespace"], 63)
    labels = manifest["metadata"]["labels"] | manifest["spec"]["template"]["metadata"]["labels"]
    for value in labels.values():
        assert_matches(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", value, 63)
    assert manifest["metadata"]["annotations"]["isthmus.dev/job-name"] == name


def assert_matches(pattern: str, text: str, limit: int) -> None:
    """The text is matched as a whole and is not too long."""
    assert re.fullmatch(pattern, text), text
    assert len(text) <= limit
