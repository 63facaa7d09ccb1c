from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from federation import Federation, compute_job, compute_node, job_spec
from testbed import Machine, wait_for
from testbed.binaries import locate
from testbed.local.process import Process

MEMBERS = {
    "lender": [Machine("l1", "8", "64Gi"), Machine("l2", "9", "64Gi")],
    "choosy": [Machine("c1", "16", "64Gi")],
}
LENDER, CHOOSY = {"regions": ["lender"]}, {"regions": ["choosy"]}
LONG = "3600"


def lend(fed: Federation, name: str, offer: dict[str, Any] | None) -> None:
    """Have the member lend on these terms, in a region of its own name."""
    terms: dict[str, Any] = {} if offer is None else {"offer": offer}
    fed.hub.apply([compute_node(name, name, region={"code": name}, **terms)])


def running(fed: Federation, *names: str) -> list[str]:
    """Those of the jobs that run."""
    phases = {job["metadata"]["name"]: job.get("status", {}).get("phase") for job in fed.items("computejobs")}
    return [name for name in names if phases.get(name) == "Running"]


def held_cores(fed: Federation, member: str) -> int:
    """Cores that the pods of ours in the member ask for, which have not ended; each asks for whole ones."""
    pods = [pod for pod in fed.member_pods(member) if pod["status"].get("phase") not in {"Succeeded", "Failed"}]
    return sum(int(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"]) for pod in pods)


def delete(fed: Federation, *names: str, namespace: str = "team-a") -> None:
    """Delete jobs, and wait until they are gone."""
    fed.hub.kubectl("delete", "cjob", *names, "-n", namespace, "--timeout=60s")


def test_a_share_is_never_exceeded(fed: Federation) -> None:
    """Of 17 cores 25 % are lent: four jobs of a core run, the others wait for the share and start as it gets free."""
    lend(fed, "lender", {"share": {"cpu": "25%", "memory": "100Gi"}})
    jobs = [f"share-{n}" for n in range(8)]
    fed.hub.apply([compute_job(name, job_spec(run_seconds=LONG), placement=LENDER) for name in jobs])
    wait_for(lambda: len(running(fed, *jobs)) == 4, 30, "four jobs to run")
    waiting = [name for name in jobs if name not in running(fed, *jobs)]
    for name in waiting:
        placed = fed.wait_condition("computejobs", name, "Placed", "False", namespace="team-a")
        said = "1 ShareExhausted (needs 1 cpu for a pod; of 4250m that the node lends 250m is left)"
        # The first of them has the next of the share kept for it, and is told so besides.
        assert placed["message"].startswith(f"0/2 nodes are available: 1 RegionMismatch, {said}")
    assert held_cores(fed, "lender") == 4
    ended = running(fed, *jobs)[:2]
    delete(fed, *ended)
    wait_for(lambda: len(running(fed, *jobs)) == 4, 30, "two more to run")
    assert held_cores(fed, "lender") == 4
    lend(fed, "lender", {"share": {"cpu": 5}})
    wait_for(lambda: len(running(fed, *jobs)) == 5, 30, "one more to run once more is lent")
    assert held_cores(fed, "lender") == 5
    delete(fed, *[name for name in jobs if name not in ended])


def test_a_share_holds_over_a_restart_of_the_hub(fed: Federation) -> None:
    """A hub that has just started counts what stands on a node already."""
    lend(fed, "lender", {"share": {"cpu": "3"}})
    fed.hub.apply([compute_job("before", job_spec(run_seconds=LONG, cpu="2"), placement=LENDER)])
    wait_for(lambda: running(fed, "before"), 30, "the first job to run")
    fed.process.kill()
    fed.process.start()
    jobs = [f"after-{n}" for n in range(3)]
    fed.hub.apply([compute_job(name, job_spec(run_seconds=LONG), placement=LENDER) for name in jobs])
    wait_for(lambda: len(running(fed, *jobs)) == 1, 60, "one job to run beside it")
    for name in jobs:
        if name not in running(fed, *jobs):
            placed = fed.wait_condition("computejobs", name, "Placed", "False", namespace="team-a")
            assert "ShareExhausted" in placed["message"]
    assert held_cores(fed, "lender") == 3
    delete(fed, "before", *jobs)


def test_only_accounts_that_are_admitted(fed: Federation) -> None:
    """A node that lends to some accounts takes their jobs, and no others."""
    lend(fed, "lender", None)
    lend(fed, "choosy", {"accounts": {"names": ["paying", "late"], "except": ["late"]}})
    for account in ("paying", "late"):
        fed.namespace(account, {"isthmus.dev/account": account})
    for namespace in ("paying", "late", "team-a"):
        fed.hub.apply([compute_job("bound", namespace=namespace, placement=CHOOSY)])
    assert [s["node"] for s in fed.wait_job("bound", namespace="paying")["status"]["shards"]] == ["choosy"]
    for namespace in ("late", "team-a"):
        placed = fed.wait_condition("computejobs", "bound", "Placed", "False", namespace=namespace)
        assert placed["reason"] == "NoSuitableNode"
        told = {v["node"]: v for v in fed.job("bound", namespace)["status"]["explanation"]["nodes"]}["choosy"]
        assert told["reason"] == "AccountNotAdmitted"
        assert told["message"] == f"the node's offer does not admit account {namespace}"
        delete(fed, "bound", namespace=namespace)
    lend(fed, "choosy", None)


def member_job(fed: Federation, name: str) -> dict[str, Any]:
    """The Job in the member behind a ComputeJob of one shard."""
    (shard,) = fed.job(name)["status"]["shards"]
    return next(job for job in fed.member_jobs(shard["node"]) if job["metadata"]["name"] == shard["dispatch"])


@contextmanager
def scheduler(fed: Federation, member: str, name: str) -> Iterator[None]:
    """A second scheduler in the member, whose one profile has that name."""
    cluster, folder = fed.clusters[member], fed.bed.directory
    configuration = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(cluster.kubeconfig("system:kube-scheduler"))},
        "profiles": [{"schedulerName": name}],
    }
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(configuration))
    command = [str(locate(print).kube_scheduler), f"--config={file}", "--secure-port=0"]
    process = Process(name, command, {**fed.bed.environment, "HOME": str(folder)}, folder / f"{name}.log")
    process.start()
    try:
        yield
        process.check()
    finally:
        process.kill()


def scheduled(fed: Federation, member: str) -> list[dict[str, Any]]:
    """What schedulers have said of pods of ours that they bound there."""
    events = fed.clusters[member].rest.get("/api/v1/events?fieldSelector=reason%3DScheduled")["items"]
    shards = {pod["metadata"]["name"] for name in ("marked", "unbound", "gang") for pod in fed.pods_of(name)}
    return [event for event in events if event["involvedObject"]["name"] in shards]


def test_labels_and_scheduler_of_the_member(fed: Federation) -> None:
    """Jobs and their pods carry the labels and the scheduler's name that the node's offer has for them.

    They are bound by that scheduler, and by no other.
    """
    labels = {"volcano.sh/queue-name": "lent", "example.com/pool": "blue"}
    lend(fed, "choosy", {"labels": labels, "schedulerName": "volcano"})
    fed.hub.apply([compute_job("marked", job_spec(run_seconds=LONG), placement=CHOOSY)])
    wait_for(lambda: fed.pods_of("marked") if fed.job("marked").get("status", {}).get("shards") else [], 30, "its pod")
    job = member_job(fed, "marked")
    (pod,) = fed.pods_of("marked")
    for marked in (job, pod):
        assert marked["metadata"]["labels"].items() >= labels.items()
        assert marked["metadata"]["labels"]["isthmus.dev/node"] == "choosy"
    assert pod["spec"]["schedulerName"] == "volcano"
    lend(fed, "lender", None)
    fed.hub.apply([compute_job("passing", placement=LENDER), compute_job("unbound", placement=CHOOSY)])
    fed.wait_job("passing")
    assert not [pod for name in ("marked", "unbound") for pod in fed.pods_of(name) if "nodeName" in pod["spec"]]
    with scheduler(fed, "choosy", "volcano"):
        wait_for(lambda: running(fed, "marked"), 30, "the first to run")
        fed.wait_job("unbound")
        gang = job_spec(run_seconds="1", completions=3, parallelism=3)
        fed.hub.apply([compute_job("gang", gang, placement={**CHOOSY, "gang": True})])
        fed.wait_job("gang")
    sources = {event["source"].get("component") or event["reportingComponent"] for event in scheduled(fed, "choosy")}
    assert sources == {"volcano"}
    delete(fed, "marked", "unbound", "gang", "passing")
    lend(fed, "choosy", None)


def clock(at: datetime) -> str:
    """The hour and minute, as a window has them."""
    return f"{at:%H:%M}"


def test_nothing_new_outside_the_hours(fed: Federation) -> None:
    """Outside its windows a node says so and takes nothing; work starts once a window is open."""
    now = datetime.now(UTC)
    later = {"from": clock(now + timedelta(hours=3)), "to": clock(now + timedelta(hours=4))}
    lend(fed, "choosy", {"windows": [later]})
    fed.wait_condition("computenodes", "choosy", "Schedulable", "False", reason="NotOfferedNow")
    fed.hub.apply([compute_job("early", placement=CHOOSY)])
    placed = fed.wait_condition("computejobs", "early", "Placed", "False", namespace="team-a")
    told = {v["node"]: v for v in fed.job("early")["status"]["explanation"]["nodes"]}["choosy"]
    assert (told["reason"], placed["reason"]) == ("NotOfferedNow", "NodesUnavailable")
    assert f"T{later['from']}:00Z" in told["message"]
    lend(fed, "choosy", {"windows": [{"from": clock(now - timedelta(hours=1)), "to": later["to"]}]})
    fed.wait_condition("computenodes", "choosy", "Schedulable", "True")
    fed.wait_job("early")
    delete(fed, "early")


def test_work_leaves_once_the_notice_is_over(fed: Federation) -> None:
    """When a window ends, what runs stays for the notice, and then moves away."""
    end = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    if (end - datetime.now(UTC)).total_seconds() < 15:
        end += timedelta(minutes=1)
    window = {"from": clock(end - timedelta(hours=1)), "to": clock(end)}
    lend(fed, "choosy", {"windows": [window], "reclaimNoticeSeconds": 5})
    fed.wait_condition("computenodes", "choosy", "Schedulable", "True")
    template = job_spec(run_seconds=LONG, completions=2, parallelism=2)
    placement = {"split": "ByIndex", "regions": ["choosy", "lender"]}
    lend(fed, "lender", {"accounts": {"except": ["team-a"]}})
    fed.hub.apply([compute_job("moving", template, placement=placement)])
    wait_for(lambda: running(fed, "moving"), 15, "the job to run")
    assert fed.job("moving")["status"]["nodes"] == "choosy"
    lend(fed, "lender", None)
    fed.wait_condition("computenodes", "choosy", "Schedulable", "False", reason="NotOfferedNow", seconds=90)
    wait_for(lambda: fed.job("moving")["status"]["nodes"] == "lender", 60, "the job to move")
    assert (datetime.now(UTC) - end).total_seconds() >= 5
    assert [s["state"] for s in fed.job("moving")["status"]["shards"] if s["node"] == "choosy"] == ["Cancelled"]
    delete(fed, "moving")
    lend(fed, "choosy", None)


def test_hub_log_is_free_of_tracebacks(fed: Federation) -> None:
    """After all of it the hub has logged no traceback."""
    assert "Traceback" not in fed.process.log.read_text()
