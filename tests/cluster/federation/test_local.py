from collections.abc import Iterator

import pytest

from federation import Federation, compute_job, compute_node, job_spec
from testbed import ClusterSpec, Machine


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub that has machines of its own, and no member besides."""
    hub = ClusterSpec(name="hub", machines=[Machine("own", "8", "32Gi")])
    with Federation({}, hub=hub) as federation:
        federation.process.start()
        federation.hub.apply([compute_node("home", None, tier="Hub")])
        federation.wait_condition("computenodes", "home", "Ready", "True")
        yield federation


def test_hub_lends_its_own_machines(fed: Federation) -> None:
    """A ComputeNode with access.local runs work in the hub's own cluster, in the tenant's namespace there."""
    fed.hub.apply([compute_job("at-home", job_spec(completions=2, parallelism=2))])
    job = fed.wait_job("at-home")
    assert job["status"]["nodes"] == "home"
    pods = fed.hub.rest.get("/api/v1/pods?labelSelector=isthmus.dev%2Fhub")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"own"}
    assert all(pod["metadata"]["namespace"].startswith("iwt-") for pod in pods)


def test_second_local_node_is_refused(fed: Federation) -> None:
    """The hub's cluster is one node: a second local one is not Ready and names the first."""
    fed.hub.apply([compute_node("annex", None, tier="Hub")])
    found = fed.wait_condition("computenodes", "annex", "Ready", "False", reason="DuplicateMember")
    assert "ComputeNode home" in found["message"]
    fed.hub.kubectl("delete", "cn", "annex", "--timeout=30s")


def test_hub_log_is_free_of_tracebacks(fed: Federation) -> None:
    """After all of it the hub has logged no traceback."""
    assert "Traceback" not in fed.process.log.read_text()
