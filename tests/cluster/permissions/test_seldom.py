"""Rights that only rare courses of events take, in a member: brought about one by one."""

from collections.abc import Iterator

import pytest

from federation import Federation, compute_job, job_spec
from federation.federation import OPERATOR
from federation.manifests import names
from testbed import Machine, Part, wait_for

MEMBERS = {"east": [Machine("e", "16", "64Gi")]}


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub and one member."""
    with Federation(MEMBERS) as federation:
        federation.process.start()
        federation.join("east")
        yield federation


def written(fed: Federation, verb: str, resource: str, name: str) -> bool:
    """Whether the hub wrote so in the member."""
    return any(
        (entry.user, entry.verb, entry.resource, entry.name) == (OPERATOR, verb, resource, name) and entry.code < 300
        for entry in fed.clusters["east"].audit_entries()
    )


def test_the_hub_makes_the_account_that_controllers_are_late_with(fed: Federation) -> None:
    """While the member's controllers are silent the hub makes a tenant's default ServiceAccount, without a token."""
    east = fed.clusters["east"]
    fed.namespace("early")
    east.pause(Part.CONTROLLER_MANAGER)
    try:
        fed.hub.apply([compute_job("early", namespace="early")])
        wait_for(lambda: written(fed, "create", "serviceaccounts", "default"), 60, "the account to be made")
    finally:
        east.resume(Part.CONTROLLER_MANAGER)
    fed.wait_job("early", namespace="early", seconds=90)
    (pod,) = fed.pods_of("early", "early")
    account = east.get_json(f"/api/v1/namespaces/{pod['metadata']['namespace']}/serviceaccounts/default")
    assert account["automountServiceAccountToken"] is False


def test_the_hub_stops_pods_whose_job_was_taken_away(fed: Federation) -> None:
    """Pods that somebody in the member bereaved of their Job are deleted by the hub: they run no further unseen."""
    east = fed.clusters["east"]
    fed.hub.apply([compute_job("bereaved", job_spec(run_seconds="3600"))])
    wait_for(lambda: fed.job("bereaved").get("status", {}).get("phase") == "Running", 60, "the job to run")
    (pod,) = fed.pods_of("bereaved")
    (job,) = [each for each in fed.member_jobs("east") if each["metadata"]["name"].startswith("bereaved-")]
    place = f"--namespace={job['metadata']['namespace']}"
    east.kubectl("delete", "job", job["metadata"]["name"], place, "--cascade=orphan", "--timeout=30s")
    name = pod["metadata"]["name"]
    wait_for(lambda: written(fed, "delete", "pods", name), 90, "the hub to delete the pod")
    path = f"/api/v1/namespaces/{job['metadata']['namespace']}/pods"
    wait_for(lambda: name not in names(east.get_json(path)["items"]), 60, "the pod to be gone")
