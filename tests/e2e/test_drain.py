from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_each_index_once

from federation import compute_job
from installation import Installation, work
from testbed import wait_for


def test_a_drain_moves_work_and_keeps_what_is_done(site: Installation, recorder: PodRecorder) -> None:
    """Of a drained node's job what is done stays done, the rest runs on the other node; opened again, it takes work."""
    site.apply(compute_job("drained", work(4, completions=8, parallelism=2)))
    wait_for(lambda: site.status("drained").get("succeeded", 0) >= 2, 60, "some indexes to be done")
    (first,) = site.status("drained")["shards"]
    site.desk.isthmus("node", "drain", first["node"])
    site.wait("computejob/drained", "Complete", seconds=120)
    before, after = site.status("drained")["shards"]
    assert (before["state"], after["state"]) == ("Cancelled", "Succeeded")
    assert after["node"] != first["node"]
    check_each_index_once(site, recorder.runs(), {"drained": 8})
    site.desk.isthmus("node", "uncordon", first["node"])
    site.wait(f"computenode/{first['node']}", "Schedulable")
