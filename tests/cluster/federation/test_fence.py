import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder, Run
from tests.cluster.federation.proof import (
    check_each_index_once,
    check_log,
    check_nothing_left,
    delete_jobs,
    runs_by_index,
    wait_complete,
)

from demo.podtime import resource_seconds
from federation import Federation, compute_job, job_spec
from isthmus.ledger import Ledger
from testbed import AuditEntry, Machine, Part, wait_for

FENCE = 10
# A grace of 1 s, 1 s for the pods, 5 s for the controllers: more than the node's own setting of 5 s.
ALLOWANCE = 7
TIMING = {"heartbeatSeconds": 1, "fenceAfterSeconds": FENCE, "stopAllowanceSeconds": 5}
NODES = ("east", "west")
MEMBERS = {
    "east": [Machine("e1", "16", "64Gi"), Machine("e2", "16", "64Gi")],
    "west": [Machine("w1", "16", "64Gi"), Machine("w2", "16", "64Gi")],
}
# Long enough to be seen running, and over before a fence can stop it.
UNSEEN_SECONDS = 11
JOB_CONTROLLER = "system:serviceaccount:kube-system:job-controller"


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub and two members with a short fence; the east's controller manager renews a Lease."""
    with Federation(MEMBERS, with_leases=["east"]) as federation:
        federation.process.start()
        for name in MEMBERS:
            federation.join(name, timing=TIMING)
        yield federation


@pytest.fixture(scope="module")
def recorder(fed: Federation) -> Iterator[PodRecorder]:
    """All pods of the module; at its end nothing is left, and every second is billed or recorded as late."""
    with PodRecorder({name: fed.clusters[name] for name in MEMBERS}) as recorder:
        yield recorder
        _check_books(fed, recorder.runs())
        delete_jobs(fed)
        check_nothing_left(fed, MEMBERS)
    check_log(fed)


def _check_books(fed: Federation, runs: list[Run]) -> None:
    """The ledger's totals and the late time together are the resource-time of all pods, in each meter."""
    used = resource_seconds(run.time for run in runs)

    def right() -> bool:
        late = _late(fed)
        with Ledger.open(fed.process.ledger) as ledger:
            booked = {str(meter): amount for meter, amount in ledger.totals().items()}
            assert ledger.conflicts() == ()
        found.update({meter: booked.get(meter, 0) + late.get(meter, 0) for meter in used})
        return found == used

    found: dict[str, int] = {}
    wait_for(right, 20, f"books of {used}; {found}")


def _late(fed: Federation) -> dict[str, int]:
    sums: dict[str, int] = {}
    for dispatch in fed.items("dispatches"):
        for each in dispatch.get("status", {}).get("reading", {}).get("late", []):
            sums[each["meter"]] = sums.get(each["meter"], 0) + each["quantity"]
    return sums


def _only(fed: Federation, node: str) -> None:
    """New shards go to that node alone; an empty name means to any."""
    for each in NODES:
        state = "Active" if each == node or not node else "Cordoned"
        patch = f'{{"spec":{{"schedulingState":"{state}"}}}}'
        fed.hub.kubectl("patch", "cn", each, "--type=merge", "-p", patch)
    wanted = [each for each in NODES if each == node or not node]
    for each in NODES:
        fed.wait_condition("computenodes", each, "Schedulable", str(each in wanted))


def _start(fed: Federation, *jobs: tuple[str, str, int, int]) -> None:
    """Jobs (name, onNodeLost, run seconds, completions) in the east, with all their pods running."""
    _only(fed, "east")
    manifests = []
    for name, lost, seconds, completions in jobs:
        template = job_spec(
            run_seconds=str(seconds),
            completions=completions,
            parallelism=completions,
            pod={"terminationGracePeriodSeconds": 1},
        )
        manifests.append(compute_job(name, template, placement={"onNodeLost": lost}))
    fed.hub.apply(manifests)
    for name, lost, _, completions in jobs:
        wait_for(lambda name=name, lost=lost, n=completions: _begun(fed, name, lost, n), 30, f"{name} to run")  # type: ignore[misc]
    _only(fed, "")


def _begun(fed: Federation, name: str, lost: str, completions: int) -> bool:
    job = fed.job(name)
    if job.get("status", {}).get("active") != completions:
        return False
    status = _dispatch(fed, name)["status"]
    return bool(status["state"] == "Running" and status.get("armed", False) == (lost == "Rerun"))


def _dispatch(fed: Federation, job: str, attempt: int = 1) -> dict[str, Any]:
    """The Dispatch of an attempt."""
    found = [
        each
        for each in fed.items("dispatches")
        if each["spec"]["job"]["name"] == job and each["spec"]["attempt"] == attempt
    ]
    return {"status": {}, **found[0]} if found else {"status": {}}


def _ended(fed: Federation, job: str) -> tuple[str, str]:
    status = _dispatch(fed, job)["status"]
    return status.get("state", ""), status.get("reason", "")


def _pods_in_east(fed: Federation, job: str) -> list[str]:
    """Phases of the job's pods there."""
    name = _dispatch(fed, job)["metadata"]["name"]
    pods = [p for p in fed.member_pods("east") if p["metadata"]["labels"]["isthmus.dev/dispatch"] == name]
    return sorted(pod["status"]["phase"] for pod in pods)


def _writes(fed: Federation, member: str, verb: str, prefix: str) -> list[AuditEntry]:
    """What the Job controller did to pods of that Job there."""
    return [
        entry
        for entry in fed.clusters[member].audit_entries()
        if entry.user == JOB_CONTROLLER
        and entry.verb == verb
        and entry.resource == "pods"
        and entry.code < 300
        and (entry.name.startswith(prefix) or not entry.name)
    ]


def test_cut_off(fed: Federation, recorder: PodRecorder) -> None:
    """Of a member that is cut off, each job's shard becomes what the job asked for, and on its return all is told."""
    _start(fed, ("forgotten", "Wait", 300, 1))
    _start(
        fed,
        ("stopped", "Rerun", 24, 3),
        ("unseen", "Rerun", UNSEEN_SECONDS, 2),
        ("risked", "RerunUnfenced", 28, 1),
        ("patient", "Wait", 30, 1),
    )
    begun = datetime.fromisoformat(_dispatch(fed, "unseen")["status"]["startTime"])
    time.sleep(max((begun - datetime.now(UTC)).total_seconds() + UNSEEN_SECONDS - 2, 0))
    fed.clusters["east"].cut("refuse")
    cut = datetime.now(UTC)
    stalled = fed.wait_condition("computejobs", "stopped", "Stalled", "True", namespace="team-a", seconds=30)
    assert "the member stops the shard by itself" in stalled["message"]
    wait_for(lambda: "Running" not in _pods_in_east(fed, "stopped"), FENCE + 5, "the member to stop the shard")
    assert _pods_in_east(fed, "stopped") == ["Failed"] * 3
    assert _pods_in_east(fed, "unseen") == ["Succeeded"] * 2
    assert _pods_in_east(fed, "patient") == ["Running"]
    assert _pods_in_east(fed, "risked") == ["Running"]
    assert _ended(fed, "stopped")[0] == "Running", "nobody here can know yet"

    for job, reason in {"stopped": "Fenced", "unseen": "Fenced", "risked": "Unfenced"}.items():
        wait_for(lambda job=job, reason=reason: _ended(fed, job) == ("Lost", reason), 60, f"{job} to be given up")  # type: ignore[misc]
    wait_for(lambda: _dispatch(fed, "stopped", 2)["status"].get("state") == "Running", 20, "it to run elsewhere")
    _check_order(fed, "stopped", cut)
    wait_complete(fed, ["stopped", "unseen", "risked"])
    assert _ended(fed, "patient")[0] == _ended(fed, "forgotten")[0] == "Running"
    for job in ("patient", "forgotten"):
        assert "stays with it" in fed.condition("computejobs", job, "Stalled", "team-a")["message"]

    _check_words_in_vain(fed)
    fed.clusters["east"].heal()
    fed.wait_condition("computenodes", "east", "Ready", "True", seconds=60)
    wait_complete(fed, ["patient"])
    _check_forgetting(fed)
    wait_for(lambda: all(_accounted(fed, job) for job in GIVEN_UP), 60, "stock to be taken")
    assert _dispatch(fed, "unseen")["status"]["lateIndexes"] == "0,1"
    assert "lateIndexes" not in _dispatch(fed, "stopped")["status"]
    assert _dispatch(fed, "stopped")["status"].get("failed", 0) == 0
    assert _dispatch(fed, "forgotten")["status"]["reason"] == "Forgotten"
    assert _late(fed)["MillicoreSeconds"] >= 12_000  # of the risked job alone; the time of what was unseen comes to it
    check_each_index_once(fed, recorder.runs(), {"stopped": 3, "patient": 1})
    for job, count in {"stopped": 3, "unseen": 2, "risked": 1, "patient": 1}.items():
        status = fed.job(job)["status"]
        assert (status["done"], status.get("failed", 0)) == (f"{count}/{count}", 0)
    assert "Running" not in _pods_in_east(fed, "risked"), "what ran on is stopped"
    fed.hub.kubectl("patch", "cjob", "forgotten", "-n", "team-a", "--type=merge", "-p", '{"spec":{"cancel":true}}')
    fed.hub.kubectl("annotate", "cn", "east", "isthmus.dev/forget-before-")
    wait_for(lambda: fed.job("forgotten")["status"]["phase"] == "Cancelled", 30, "the last job to be cancelled")


GIVEN_UP = ("stopped", "unseen", "risked", "forgotten")


def _accounted(fed: Federation, job: str) -> bool:
    return bool(_dispatch(fed, job)["status"].get("reading", {}).get("final"))


def _check_order(fed: Federation, job: str, cut: datetime) -> None:
    """The member's own Job controller deleted the pods within the fence, before any was created elsewhere."""
    old, new = (_dispatch(fed, job, attempt)["metadata"]["name"] for attempt in (1, 2))
    stops = [entry.time for entry in _writes(fed, "east", "delete", old)]
    wait_for(lambda: _writes(fed, "west", "create", new), 10, "the audit log to tell of new pods")
    starts = [
        entry.time for entry in fed.clusters["west"].audit_entries() if entry.name == new and entry.verb == "create"
    ]
    assert len(stops) == 3
    assert (max(stops) - cut).total_seconds() <= FENCE + 2
    assert max(stops) < min(starts)
    print(  # noqa: T201 - figures to report
        f"stopped {(min(stops) - cut).total_seconds():.1f} to {(max(stops) - cut).total_seconds():.1f} s after the cut,"
        f" Job elsewhere created {(min(starts) - cut).total_seconds():.1f} s after it"
    )


def _check_words_in_vain(fed: Federation) -> None:
    """A word that can't be read, or that is of an instant before the outage, is told and releases nothing."""
    made = _dispatch(fed, "patient")["metadata"]["creationTimestamp"]
    for word, why in {"yesterday": "'yesterday' is no instant", made: "has been silent only since"}.items():
        fed.hub.kubectl("annotate", "cn", "east", "--overwrite", f"isthmus.dev/forget-before={word}")
        wait_for(
            lambda why=why: why in fed.condition("computenodes", "east", "Reachable")["message"],  # type: ignore[misc]
            20,
            "what is wrong with the word to be told",
        )
    assert _ended(fed, "forgotten")[0] == _ended(fed, "patient")[0] == "Running"


def _check_forgetting(fed: Federation) -> None:
    """In another outage, a word of it releases the job that was sent before."""
    fed.clusters["east"].cut("refuse")
    lost = fed.wait_condition("computenodes", "east", "Reachable", "False", seconds=30)
    assert _ended(fed, "forgotten")[0] == "Running"
    word = f"isthmus.dev/forget-before={lost['lastTransitionTime']}"
    fed.hub.kubectl("annotate", "cn", "east", "--overwrite", word)
    wait_for(lambda: _ended(fed, "forgotten") == ("Lost", "Forgotten"), 20, "the word to be followed")
    fed.clusters["east"].heal()
    fed.wait_condition("computenodes", "east", "Ready", "True", seconds=60)


def test_hub_killed_while_it_waits(fed: Federation, recorder: PodRecorder) -> None:
    """A hub that starts while a member is away waits afresh before it runs anything of it elsewhere."""
    _start(fed, ("orphaned", "Rerun", 20, 2))
    fed.clusters["east"].cut("refuse")
    time.sleep(8)
    fed.process.kill()
    began = time.monotonic()
    fed.process.start()
    wait_for(lambda: _ended(fed, "orphaned") == ("Lost", "Fenced"), 60, "the shard to be given up")
    assert time.monotonic() - began >= FENCE + ALLOWANCE
    wait_complete(fed, ["orphaned"])
    check_each_index_once(fed, recorder.runs(), {"orphaned": 2})
    fed.clusters["east"].heal()
    fed.wait_condition("computenodes", "east", "Ready", "True", seconds=60)
    wait_for(lambda: _accounted(fed, "orphaned"), 30, "stock to be taken")


@pytest.mark.parametrize("healed", [True, False], ids=["back", "still away"])
def test_hub_frozen(fed: Federation, recorder: PodRecorder, healed: bool) -> None:
    """A hub that was frozen beyond the fence reads anew before it decides; its member has stopped the shard."""
    name = f"frozen-{str(healed).lower()}"
    _start(fed, (name, "Rerun", 25, 2))
    dispatch = _dispatch(fed, name)["metadata"]["name"]
    fed.clusters["east"].cut("drop" if healed else "refuse")
    fed.wait_condition("computenodes", "east", "Reachable", "False", seconds=30)
    fed.process.pause()
    wait_for(lambda: len(_writes(fed, "east", "delete", dispatch)) == 2, FENCE + 5, "the member to stop the shard")
    time.sleep(ALLOWANCE)
    if healed:
        fed.clusters["east"].heal()
    fed.process.resume()
    wait_for(lambda: _ended(fed, name) == ("Lost", "Fenced"), 40, "the shard to be lost")
    message = _dispatch(fed, name)["status"]["message"]
    assert ("out of reach" in message) == (not healed), message
    wait_complete(fed, [name])
    check_each_index_once(fed, recorder.runs(), {name: 2})
    fed.clusters["east"].heal()
    fed.wait_condition("computenodes", "east", "Ready", "True", seconds=60)
    wait_for(lambda: _accounted(fed, name), 30, "stock to be taken")


def test_frozen_with_its_link(fed: Federation, recorder: PodRecorder) -> None:
    """A hub frozen beyond the fence, its link whole, finds the shard stopped and runs it anew."""
    _start(fed, ("slept", "Rerun", 16, 2))
    fed.process.pause()
    time.sleep(FENCE + 3)
    fed.process.resume()
    wait_for(lambda: _ended(fed, "slept") == ("Lost", "Fenced"), 30, "the shard to be lost")
    wait_complete(fed, ["slept"])
    check_each_index_once(fed, recorder.runs(), {"slept": 2})


def test_controllers_stopped(fed: Federation, recorder: PodRecorder) -> None:
    """Where the member's controllers are dead its limit does not bite: the job waits for its word, and says so."""
    _start(fed, ("careful", "Rerun", 60, 2))
    fed.clusters["east"].kill(Part.CONTROLLER_MANAGER)
    wait_for(lambda: not _dispatch(fed, "careful")["status"].get("armed", False), 40, "its silence to be noticed")
    fed.clusters["east"].cut("refuse")
    stalled = fed.wait_condition("computejobs", "careful", "Stalled", "True", namespace="team-a", seconds=30)
    assert "has not renewed its Lease" in stalled["message"]
    time.sleep(FENCE + ALLOWANCE + 3)
    assert _ended(fed, "careful")[0] == "Running"
    assert len(runs_by_index(fed, recorder.runs(), ["careful"])) == 2
    fed.clusters["east"].heal()
    # The live agent is at its fence and stops the pods itself, which needs no controller.
    wait_for(lambda: "Running" not in _pods_in_east(fed, "careful"), 30, "the agent to stop the pods")
    fed.clusters["east"].start(Part.CONTROLLER_MANAGER)
    wait_for(lambda: _ended(fed, "careful") == ("Lost", "Fenced"), 60, "the shard to be lost")
    fed.hub.kubectl("patch", "cjob", "careful", "-n", "team-a", "--type=merge", "-p", '{"spec":{"cancel":true}}')
    wait_for(lambda: fed.job("careful")["status"]["phase"] == "Cancelled", 30, "the job to be cancelled")
    assert len(runs_by_index(fed, recorder.runs(), ["careful"])) == 2
