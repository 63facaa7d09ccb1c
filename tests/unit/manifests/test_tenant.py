import pytest

from isthmus.manifests import tenant_objects

HUB = "0b54f1e6-6f0a-4e5e-9f0e-000000000001"


def test_objects_in_order() -> None:
    """A tenant namespace comes first, and with its network policy, quota and tokenless default account."""
    objects = tenant_objects(HUB, "team", "physics")
    assert [o["kind"] for o in objects] == ["Namespace", "NetworkPolicy", "ResourceQuota", "ServiceAccount"]
    namespace, policy, quota, account = objects
    name = namespace["metadata"]["name"]
    assert namespace["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "isthmus",
        "isthmus.dev/hub": HUB,
        "isthmus.dev/job-namespace": "team",
        "isthmus.dev/account": "physics",
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    assert {o["metadata"]["namespace"] for o in objects[1:]} == {name}
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert quota["spec"] == {"hard": {"count/jobs.batch": "20000", "count/pods": "100000"}}
    assert account["metadata"]["name"] == "default"
    assert account["automountServiceAccountToken"] is False


def test_never_shared() -> None:
    """Two tenants, or two hubs, get different namespaces."""
    places = [(HUB, "team"), (HUB, "other"), ("another-hub", "team")]
    spaces = {tenant_objects(hub, namespace, "a")[0]["metadata"]["name"] for hub, namespace in places}
    assert len(spaces) == 3


@pytest.mark.parametrize("level", ["privileged", "baseline", "restricted"])
def test_level(level: str) -> None:
    """The member's PodSecurity level is the one enforced."""
    labels = tenant_objects(HUB, "team", "a", pod_security=level)[0]["metadata"]["labels"]  # type: ignore[arg-type]
    assert labels["pod-security.kubernetes.io/enforce"] == level
