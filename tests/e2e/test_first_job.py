import json

from federation import compute_job
from installation import Installation, work
from testbed import wait_for

SECONDS = 10
LEAST = 2 * SECONDS * 0.002  # two GPUs, by PRICES
HALF_A_COIN = 0.005 + 1e-9  # a statement's total is rounded to cents
MONTHS = {"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z"}


def test_first_job_is_complete_and_billed(site: Installation) -> None:
    """A job runs to Complete in a member, costs something, and its Settlement shows what it cost."""
    labels = {"isthmus.dev/account": "acme"}
    site.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-first", "labels": labels}})
    site.apply(
        compute_job("first", work(SECONDS, completions=2, gpus=1), namespace="team-first"),
        {
            "apiVersion": "isthmus.dev/v1alpha1",
            "kind": "Settlement",
            "metadata": {"name": "all", "namespace": "team-first"},
            "spec": {"currency": "CNY", "period": MONTHS},
        },
    )
    site.wait("computejob/first", "Complete", namespace="team-first")
    status = site.status("first", "team-first")
    assert (status["phase"], status["done"], status["completedIndexes"]) == ("Succeeded", "2/2", "0,1")
    assert status["nodes"] in site.members

    def billed() -> bool:
        cost = float(site.status("first", "team-first").get("cost", {}).get("amount", 0))
        found = site.get("settlement", "all", "team-first").get("status", {})
        owed = float(found.get("total", 0)) if found.get("account") == "acme" else 0.0
        return cost >= LEAST and abs(owed - cost) <= HALF_A_COIN

    wait_for(billed, 30, "the Settlement to be what the job cost", interval_seconds=0.5)


def test_the_command_line_tells_of_it(site: Installation) -> None:
    """`kubectl isthmus` lists nodes and jobs, and tells where a job went and why."""
    site.desk.kubectl("apply", "-f", "-", stdin=json.dumps(compute_job("told", work())))
    site.wait("computejob/told", "Complete")
    nodes = json.loads(site.desk.isthmus("get", "nodes", "-o", "json"))["items"]
    assert {node["metadata"]["name"] for node in nodes} == set(site.members)
    assert "told" in site.desk.isthmus("get", "jobs", "-n", "team-a")
    assert site.status("told")["nodes"] in site.desk.isthmus("explain", "told", "-n", "team-a")


def test_deleted_job_leaves_nothing(site: Installation) -> None:
    """Deleting a running job stops its pods and leaves neither Dispatch nor Job nor pod anywhere."""
    site.desk.kubectl("create", "namespace", "team-gone")
    site.apply(compute_job("doomed", work(3600, completions=2), namespace="team-gone"))
    wait_for(lambda: site.status("doomed", "team-gone").get("active") == 2, 60, "it to run")
    assert site.left_behind("team-gone")
    site.desk.kubectl("delete", "computejob", "doomed", "-n", "team-gone", "--timeout=60s")
    wait_for(lambda: not site.left_behind("team-gone"), 30, "nothing to be left", interval_seconds=0.5)
