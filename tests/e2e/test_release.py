import pytest

from federation import compute_job
from installation import CommandError, Installation, work
from testbed import wait_for

KINDS = {"computenodes", "computejobs", "dispatches", "settlements"}


def test_helm_test(site: Installation) -> None:
    """`helm test` is content with a hub that works."""
    if not site.runs_containers:
        pytest.skip("no machine of a local hub runs the Pod of `helm test`: --provider=kind does")
    said = site.desk.helm("test", "isthmus", "--namespace=isthmus-system", "--logs")
    assert "the hub is ready" in said


def test_hub_logged_no_trouble(site: Installation) -> None:
    """After all that the suite did, the hub's log tells of no error of its own."""
    log = site.operator.log()
    assert "hub ready" in log
    assert [line for line in log.splitlines() if "Traceback" in line or "cycle failed" in line] == []


@pytest.mark.last
def test_uninstall_keeps_kinds_and_jobs(site: Installation) -> None:
    """`helm uninstall` takes the hub away and leaves kinds, nodes and jobs; installed again, the hub goes on."""
    site.apply(compute_job("kept", work()))
    site.wait("computejob/kept", "Complete")
    site.uninstall()
    with pytest.raises(CommandError, match="NotFound"):
        site.desk.kubectl("get", "deployment", "isthmus", "-n", "isthmus-system")
    assert site.status("kept")["phase"] == "Succeeded"
    assert {each["name"] for each in site.hub.get_json("/apis/isthmus.dev/v1alpha1")["resources"]} >= KINDS
    site.apply(compute_job("after", work()))
    site.install()
    site.wait("computejob/after", "Complete")
    site.desk.kubectl("delete", "computejob", "--all", "-n", "team-a", "--timeout=120s")
    wait_for(lambda: not site.left_behind("team-a"), 60, "nothing to be left", interval_seconds=0.5)
