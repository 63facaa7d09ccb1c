from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_each_index_once

from federation import compute_job
from installation import Installation, work
from testbed import wait_for


def test_helm_upgrade_with_jobs_in_flight(site: Installation, recorder: PodRecorder) -> None:
    """`helm upgrade` replaces the hub while jobs wait, start and run: none is lost, none runs twice."""
    # A real kubelet starts some three containers a second, and takes 110.
    count = 40 if site.runs_containers else 200
    jobs = {f"flight-{number}": 1 for number in range(count)}
    site.apply(*(compute_job(name, work(12)) for name in jobs))
    wait_for(lambda: _begun(site, jobs) > count // 10, 180, "some of the jobs to have begun", interval_seconds=0.2)
    assert _phases(site, jobs).count("Succeeded") < count // 2, "it would come too late to tell anything"
    site.upgrade({"podAnnotations": {"example.com/upgraded": "yes"}})
    site.wait_complete(list(jobs), seconds=240)
    check_each_index_once(site, recorder.runs(), jobs)


def _begun(site: Installation, jobs: dict[str, int]) -> int:
    phases = _phases(site, jobs)
    return phases.count("Running") + phases.count("Succeeded")


def _phases(site: Installation, jobs: dict[str, int]) -> list[str]:
    found = [job for job in site.items("computejobs") if job["metadata"]["name"] in jobs]
    return [str(job.get("status", {}).get("phase")) for job in found]
