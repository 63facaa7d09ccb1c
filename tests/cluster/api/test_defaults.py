from typing import Any

import pytest
from tests.cluster.api.conftest import Make
from tests.cluster.api.manifests import JOB_SPEC, SPECS, TARIFF

TIMING = {"heartbeatSeconds": 10, "fenceAfterSeconds": 300, "stopAllowanceSeconds": 60}
PLACEMENT = {"objective": "Balanced", "split": "Never", "onNodeLost": "Wait", "gang": False, "preemptible": False}

EXPECTED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "ComputeNode": (
        "ComputeNode",
        {},
        {
            **SPECS["ComputeNode"],
            "identity": {"code": "CN-310000-0001", "issuer": "", "scheme": ""},
            "region": {"code": "cn-east", "displayName": ""},
            "access": {"kubeConfig": {"secretRef": {"name": "shanghai", "key": "kubeconfig"}}},
            "schedulingState": "Active",
            "timing": TIMING,
        },
    ),
    "ComputeNode local with a taint and a tariff": (
        "ComputeNode",
        {"spec.access": {"local": {}}, "spec.taints": [{"key": "gpu"}], "spec.tariff": TARIFF},
        {
            **SPECS["ComputeNode"],
            "identity": {"code": "CN-310000-0001", "issuer": "", "scheme": ""},
            "region": {"code": "cn-east", "displayName": ""},
            "access": {"local": {}},
            "schedulingState": "Active",
            "taints": [{"key": "gpu", "value": "", "effect": "NoSchedule"}],
            "timing": TIMING,
            "tariff": TARIFF,
        },
    ),
    "ComputeJob": (
        "ComputeJob",
        {},
        {
            "template": JOB_SPEC,
            "priority": 0,
            "suspend": False,
            "cancel": False,
            "placement": PLACEMENT,
        },
    ),
    "ComputeJob with a toleration": (
        "ComputeJob",
        {"spec.placement.tolerations": [{"key": "gpu"}]},
        {
            "template": JOB_SPEC,
            "priority": 0,
            "suspend": False,
            "cancel": False,
            "placement": {
                **PLACEMENT,
                "tolerations": [{"key": "gpu", "operator": "Equal", "value": ""}],
            },
        },
    ),
    "Dispatch": ("Dispatch", {}, {**SPECS["Dispatch"], "desiredState": "Running"}),
    "Settlement": ("Settlement", {}, {**SPECS["Settlement"], "party": "Account"}),
}


@pytest.mark.parametrize(("kind", "changes", "expected"), EXPECTED.values(), ids=EXPECTED)
def test_defaults(make: Make, kind: str, changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """The API server stores the whole spec with every default in it."""
    assert make(kind, changes)["spec"] == expected


def test_template_is_kept_whole(make: Make) -> None:
    """Whatever a JobSpec may come to hold is stored as it was written, nulls and all."""
    template = {
        **JOB_SPEC,
        "parallelism": None,
        "completionMode": "Indexed",
        "completions": 3,
        "podFailurePolicy": {"rules": [{"action": "Ignore", "later": {"a": [1, "x", None]}}]},
        "aFieldOfALaterVersion": {"deep": [{"er": True}]},
    }
    assert make("ComputeJob", {"spec.template": template})["spec"]["template"] == template
