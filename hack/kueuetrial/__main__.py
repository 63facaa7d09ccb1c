"""`python -m kueuetrial [STEP ...]`: a hub and a member whose Kueue decides when jobs of the hub begin."""

import sys
import time
from collections.abc import Callable
from typing import Any

from federation import Federation, compute_job, job_spec
from kueuetrial.kueue import VERSION, Kueue, build
from testbed import Machine, wait_for

MEMBER = "queued"
MACHINES = [Machine("q1", "16", "64Gi"), Machine("q2", "16", "64Gi")]
LABELS = {"kueue.x-k8s.io/queue-name": "lent"}
QUOTA = {"cpu": "4", "memory": "16Gi"}
API = "kueue.x-k8s.io/v1beta2"
LONG = "3600"

Object = dict[str, Any]


def cluster_queue() -> list[Object]:
    """A quota of a part of the member, for the hub's tenants and for a team of the member's own, which goes first."""
    tenants = {"key": "isthmus.dev/hub", "operator": "Exists"}
    resources = [{"name": name, "nominalQuota": amount} for name, amount in QUOTA.items()]
    return [
        {"apiVersion": API, "kind": "ResourceFlavor", "metadata": {"name": "any"}},
        {"apiVersion": API, "kind": "WorkloadPriorityClass", "metadata": {"name": "own"}, "value": 1000},
        {
            "apiVersion": API,
            "kind": "ClusterQueue",
            "metadata": {"name": "lent"},
            "spec": {
                "namespaceSelector": {"matchExpressions": [tenants]},
                "preemption": {"withinClusterQueue": "LowerPriority"},
                "resourceGroups": [
                    {"coveredResources": list(QUOTA), "flavors": [{"name": "any", "resources": resources}]}
                ],
            },
        },
    ]


def local_queue(namespace: str, name: str = "lent") -> Object:
    """What the label on Jobs names, in one tenant's namespace."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API, "kind": "LocalQueue", "metadata": metadata, "spec": {"clusterQueue": "lent"}}


class Trial:
    """The federation and Kueue, and what is done with them."""

    def __init__(self, fed: Federation, kueue: Kueue) -> None:
        self.fed = fed
        self.kueue = kueue
        self.member = fed.clusters[MEMBER]

    def seen(self, what: str, holds: Callable[[], object], seconds: float = 40) -> None:
        """Wait until it holds, and say after how long."""
        began = time.monotonic()
        wait_for(holds, seconds, what)
        print(f"  {time.monotonic() - began:5.1f} s  {what}", flush=True)

    def sure(self, what: str, holds: object) -> None:
        """Say that it holds, which it must by now."""
        if not holds:
            raise RuntimeError(f"not so: {what}")
        print(f"         {what}", flush=True)

    def submit(self, name: str, template: Object | None = None, **spec: Any) -> None:
        """Hand in a job of a core that runs for an hour, or another."""
        self.fed.hub.apply([compute_job(name, template or job_spec(run_seconds=LONG), **spec)])

    def status(self, name: str) -> Object:
        """The job's."""
        found: Object = self.fed.job(name).get("status", {})
        return found

    def phase(self, name: str, *phases: str, active: int | None = None) -> Callable[[], bool]:
        """Whether the job is in one of the phases, with so many pods."""
        return lambda: self.status(name).get("phase") in phases and active in (None, self.status(name).get("active"))

    def stalled(self, name: str) -> str:
        """Why the job does not get on; empty where it does."""
        condition = self.fed.condition("computejobs", name, "Stalled", "team-a")
        return f"{condition['reason']}: {condition['message']}" if condition.get("status") == "True" else ""

    def job(self, name: str) -> Object:
        """The Job in the member."""
        shard = self.status(name)["shards"][-1]["dispatch"]
        return next(job for job in self.fed.member_jobs(MEMBER) if job["metadata"]["name"] == shard)

    def delete(self, *names: str) -> None:
        """Delete jobs, and wait until they are gone from hub and member."""
        self.fed.hub.kubectl("delete", "cjob", *names, "-n", "team-a", "--timeout=60s")
        self.seen(f"{', '.join(names)} gone from the member", lambda: not self.fed.member_jobs(MEMBER))


def without_local_queue(trial: Trial) -> None:
    """The tenant's namespace has no LocalQueue of the name on the label: told as such, and mended by one."""
    trial.submit("first")
    trial.seen("without a LocalQueue it waits, and says so", lambda: "QueuedInMember" in trial.stalled("first"))
    print(f"         {trial.stalled('first')}")
    trial.sure("its phase is Dispatched", trial.phase("first", "Dispatched")())
    trial.member.apply(local_queue(trial.job("first")["metadata"]["namespace"]))
    trial.seen("it runs once there is one", trial.phase("first", "Running", active=1))
    trial.seen("and is not Stalled any more", lambda: not trial.stalled("first"))
    trial.delete("first")


def shapes(trial: Trial) -> None:
    """A job of one pod, an Indexed one and a gang run to their ends."""
    trial.submit("single", job_spec(run_seconds="2"))
    trial.submit("indexed", job_spec(run_seconds="2", completions=6, parallelism=2), placement={"split": "ByIndex"})
    trial.submit("gang", job_spec(run_seconds="2", completions=3, parallelism=3), placement={"gang": True})
    for name in ("single", "indexed", "gang"):
        trial.seen(f"{name} Succeeded", trial.phase(name, "Succeeded"), 90)
        trial.sure("no pod of it failed", not trial.status(name).get("failed"))
    trial.delete("single", "indexed", "gang")


def full(trial: Trial) -> None:
    """Six jobs of a core for a quota of four: two wait, though the member has 32 cores, and go on as others end."""
    names = [f"full-{number}" for number in range(6)]
    for name in names:
        trial.submit(name, job_spec(run_seconds="15"))
    trial.seen("four of six run", lambda: sum(trial.phase(name, "Running", active=1)() for name in names) == 4)
    trial.seen("the others say why not", lambda: sum(bool(trial.stalled(name)) for name in names) == 2)
    print(f"         {next(filter(None, map(trial.stalled, names)))}")
    trial.seen("all six Succeeded", lambda: all(trial.phase(name, "Succeeded")() for name in names), 90)
    trial.delete(*names)


def preempted(trial: Trial) -> None:
    """Work of the member's own takes the quota, and the hub's job waits; it counts as no failure, and runs again."""
    trial.submit("victim", job_spec(run_seconds="20", completions=4, parallelism=4, backoffLimit=0))
    trial.seen("the victim runs on 4 cores", trial.phase("victim", "Running", active=4))
    namespace = trial.job("victim")["metadata"]["namespace"]
    own = job_spec(run_seconds="10", cpu="3", memory="1Gi")
    labels = {**LABELS, "kueue.x-k8s.io/priority-class": "own"}
    metadata = {"name": "own", "namespace": namespace, "labels": labels}
    trial.member.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": own})
    trial.seen("it is preempted, and its job told as waiting", trial.phase("victim", "Dispatched", active=0))
    trial.seen("and why", lambda: "QueuedInMember" in trial.stalled("victim"))
    print(f"         {trial.stalled('victim')}")
    trial.seen("it runs again", trial.phase("victim", "Running", active=4), 60)
    trial.seen("and succeeds", trial.phase("victim", "Succeeded"), 60)
    print(f"         failed: {trial.status('victim').get('failed', 0)}, cost: {trial.status('victim').get('cost')}")
    trial.member.kubectl("delete", "job", "own", "-n", namespace)
    trial.delete("victim")


def suspended(trial: Trial) -> None:
    """The hub's own pause, of one that runs and of one that waits, holds against Kueue until the hub ends it."""
    trial.submit("running", job_spec(run_seconds=LONG, cpu="4"))
    trial.seen("one runs", trial.phase("running", "Running", active=1))
    trial.submit("waiting", job_spec(run_seconds=LONG, cpu="4"))
    trial.seen("one waits", lambda: bool(trial.stalled("waiting")))
    pause = [compute_job(name, job_spec(run_seconds=LONG, cpu="4"), suspend=True) for name in ("running", "waiting")]
    trial.fed.hub.apply(pause[1:])
    trial.seen("the waiting one is Suspended", trial.phase("waiting", "Suspended"))
    trial.fed.hub.apply(pause[:1])
    trial.seen("the running one is Suspended", trial.phase("running", "Suspended", active=0))
    time.sleep(10)
    held = all(trial.job(name)["spec"]["suspend"] for name in ("running", "waiting"))
    trial.sure("10 s later nothing has resumed either", held)
    trial.fed.hub.apply([compute_job("waiting", job_spec(run_seconds=LONG, cpu="4"), suspend=False)])
    trial.seen("the waiting one runs", trial.phase("waiting", "Running", active=1))
    trial.fed.hub.apply([compute_job("running", job_spec(run_seconds=LONG, cpu="4"), suspend=False)])
    trial.seen("the other waits now", lambda: bool(trial.stalled("running")))
    trial.fed.hub.apply([compute_job("waiting", job_spec(run_seconds=LONG, cpu="4"), cancel=True)])
    trial.seen("the one that runs is cancelled", trial.phase("waiting", "Cancelled"))
    trial.seen("and the other runs", trial.phase("running", "Running", active=1))
    trial.delete("running", "waiting")


def rerun(trial: Trial) -> None:
    """A job whose limit must hold is not sent there."""
    trial.submit("fenced", placement={"onNodeLost": "Rerun"})

    def placed() -> str:
        return str(trial.fed.condition("computejobs", "fenced", "Placed", "team-a").get("message", ""))

    trial.seen("a Rerun job is not placed there", lambda: "QueuedByMember" in placed())
    trial.delete("fenced")


def defaulted(trial: Trial) -> None:
    """The offer names no queue, and Kueue puts its default on the Jobs: they are left to it all the same."""
    trial.fed.join(MEMBER)
    trial.submit("first", job_spec(run_seconds="1"))
    trial.seen("without a queue it is no business of Kueue's", trial.phase("first", "Succeeded"))
    trial.member.apply(local_queue(trial.job("first")["metadata"]["namespace"], "default"))
    trial.submit("large", job_spec(run_seconds=LONG, cpu="5"), placement={"onNodeLost": "Rerun"})
    trial.seen("one too large for the quota waits", lambda: "member's queue default" in trial.stalled("large"))
    print(f"         {trial.stalled('large')}")
    trial.submit("small", job_spec(run_seconds=LONG), placement={"onNodeLost": "Rerun"})
    trial.seen("one that is not runs", trial.phase("small", "Running", active=1))
    shards = trial.fed.items("dispatches")
    trial.sure("no limit is relied on", not any(each.get("status", {}).get("armed") for each in shards))
    trial.delete("first", "large", "small")
    trial.fed.join(MEMBER, offer={"labels": LABELS})


def kueue_down(trial: Trial) -> None:
    """Without Kueue its webhooks refuse new Jobs; what waits and what runs stays, and new work begins on its return."""
    trial.submit("before")
    trial.seen("one runs", trial.phase("before", "Running", active=1))
    trial.kueue.stop()
    trial.submit("during")
    time.sleep(10)
    print(f"         {trial.status('during').get('phase')}; {trial.stalled('during') or 'nothing is told'}")
    trial.kueue.start()
    trial.seen("the other runs once it is back", trial.phase("during", "Running", active=1), 90)
    trial.delete("before", "during")


STEPS = (without_local_queue, shapes, full, preempted, suspended, rerun, defaulted, kueue_down)


def main() -> None:
    """Build, start, and take the steps one after another."""
    print(f"Kueue {VERSION}: {build()}", flush=True)
    with Federation({MEMBER: MACHINES}) as fed:
        kueue = Kueue(fed.clusters[MEMBER], fed.bed.directory / "kueue", fed.bed.environment)
        try:
            kueue.start()
            fed.clusters[MEMBER].apply(cluster_queue())
            fed.process.start()
            fed.join(MEMBER, offer={"labels": LABELS})
            trial = Trial(fed, kueue)
            for step in [step for step in STEPS if step.__name__ in sys.argv[1:]] or STEPS:
                print(f"{step.__name__}: {step.__doc__}", flush=True)
                step(trial)
        except BaseException:
            print(f"hub:\n{fed.process.tail()}\nkueue:\n{kueue.log[-4000:]}")
            raise
        finally:
            kueue.close()
    print("all of it was seen")


if __name__ == "__main__":
    main()
