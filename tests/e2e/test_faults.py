import json

from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_each_index_once

from federation import compute_job
from installation import Installation, work
from testbed import wait_for


def test_hub_killed_while_jobs_run(site: Installation, recorder: PodRecorder) -> None:
    """Jobs that ran, and jobs handed in while no hub was there, all come to their end, each index once."""
    jobs = {f"killed-{number}": 2 for number in range(6)}
    site.apply(*(compute_job(name, work(6, completions=2)) for name in list(jobs)[:4]))
    wait_for(lambda: site.status("killed-0").get("active") == 2, 60, "the first job to run")
    site.operator.kill()
    site.apply(*(compute_job(name, work(2, completions=2)) for name in list(jobs)[4:]))
    site.operator.revive()
    site.wait_complete(list(jobs), seconds=180)
    check_each_index_once(site, recorder.runs(), jobs)


def test_member_cut_off_is_fenced_and_its_work_run_elsewhere(site: Installation, recorder: PodRecorder) -> None:
    """A job that asks for it is stopped in the member by itself and run elsewhere, never in both places at a time."""
    west = json.dumps({"spec": {"schedulingState": "Cordoned"}})
    site.desk.kubectl("patch", "computenode", "west", "--type=merge", f"--patch={west}")
    site.wait("computenode/west", "Schedulable=False")
    site.apply(compute_job("fenced", work(45, completions=2), placement={"onNodeLost": "Rerun"}))
    wait_for(lambda: _armed(site, "fenced"), 60, "both indexes to run under a fence")
    site.desk.isthmus("node", "uncordon", "west")
    site.clusters["east"].cut()
    try:
        site.wait("computejob/fenced", "Stalled", seconds=60)
        site.wait("computejob/fenced", "Complete", seconds=240)
    finally:
        site.clusters["east"].heal()
    before, after = site.status("fenced")["shards"]
    assert (before["node"], before["state"]) == ("east", "Lost")
    assert (after["node"], after["state"]) == ("west", "Succeeded")
    site.wait("computenode/east", "Ready", seconds=90)
    check_each_index_once(site, recorder.runs(), {"fenced": 2})


def _armed(site: Installation, job: str) -> bool:
    """Whether both indexes run and the member would stop them by itself."""
    dispatches = [each for each in site.items("dispatches") if each["spec"]["job"]["name"] == job]
    return site.status(job).get("active") == 2 and all(each["status"].get("armed") for each in dispatches)
