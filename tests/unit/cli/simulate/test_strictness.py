from typing import Any

import pytest

from generate.crd import crd
from isthmus.api.computejob import ComputeJob
from isthmus.api.kinds import COMPUTE_JOB
from isthmus.cli.simulate.strictness import BESIDE_VARIANTS, RULES, broken

# Rules on maps by Kubernetes' names, and on the template, which the hub's own check has.
_ELSEWHERE = ("each key must be a label key", "must not be set: the member's Job controller")


def job(**spec: Any) -> ComputeJob:
    """A job with this spec beside a template."""
    return ComputeJob.model_validate({"metadata": {"name": "x"}, "spec": {"template": {}, **spec}})


def messages(schema: dict[str, Any]) -> set[str]:
    """What the rules of a schema say that hold without a former state."""
    found = {each["message"] for each in schema.get("x-kubernetes-validations", ()) if "oldSelf" not in each["rule"]}
    inner = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return found.union(*(messages(each) for each in inner if isinstance(each, dict)))


def test_every_rule_is_here() -> None:
    """What the definition's rules refuse of a spec is refused here, in the same words."""
    schema = crd(COMPUTE_JOB)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    told = {each for each in messages(schema["properties"]["spec"]) if not each.startswith(_ELSEWHERE)}
    assert told == {message for _, message, _ in RULES} | {BESIDE_VARIANTS}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"placement": {"maxNodes": 2}}, "placement.maxNodes: goes with split"),
        ({"placement": {"minIndexesPerNode": 2}}, "placement.minIndexesPerNode: goes with split"),
        ({"placement": {"weights": {}}}, "placement.weights: the weights sum to zero"),
        ({"placement": {"weights": {"luck": 1}}}, "placement.weights: the scores are price"),
        ({"placement": {"weights": {"price": 1}, "objective": "Fastest"}}, "placement.weights: weights stand instead"),
        ({"placement": {"gang": True, "split": "ByIndex"}}, "placement.gang: gang (all pods on one node) contradicts"),
        (
            {"placement": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}},
            "placement.tolerations: must not be set with operator Exists",
        ),
        ({"placement": {"data": {"inputs": [{"size": "1Gi"}]}}}, "placement.data.inputs: name exactly one"),
        ({"placement": {"accelerator": {}}, "variants": [{"name": "a"}]}, "placement.accelerator: must not be set"),
    ],
)
def test_broken(spec: dict[str, Any], said: str) -> None:
    """Each rule speaks where it is broken, with the field."""
    assert (broken(job(**spec)) or "").startswith(f"spec.{said}")


def test_kept() -> None:
    """What keeps all rules is passed."""
    placement = {"split": "ByIndex", "maxNodes": 2, "weights": {"price": 1}, "tolerations": [{"key": "a"}]}
    assert broken(job(placement=placement)) is None
    assert broken(job(placement={"gang": True}, variants=[{"name": "a"}])) is None
