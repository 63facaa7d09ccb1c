from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.computejob import ComputeJob, ComputeJobStatus, Explanation, Money, Phase
from isthmus.api.conditions import find
from isthmus.api.dispatch import Dispatch
from isthmus.hub.attempts import MAX_ATTEMPTS
from isthmus.hub.jobstatus import INDEXES_LIMIT, Facts, job_status, merge_patch, status_patch, urgent
from isthmus.hub.progress import progress_of
from isthmus.hub.work import work_of
from isthmus.manifests import Refusal
from isthmus.placement import Unplaced, demand_of

NOW = "2026-11-22T12:00:00Z"
BEFORE = "2026-11-22T11:00:00Z"
TEMPLATE = {"template": {"spec": {"containers": [{"name": "main"}]}}}
QUEUE = {**TEMPLATE, "parallelism": 2}
INDEXED = {**TEMPLATE, "completionMode": "Indexed", "completions": 4}
Object = dict[str, Any]
Told = set[tuple[str, str, str]]


def job(status: ComputeJobStatus | None = None, **spec: Any) -> ComputeJob:
    """A job in its third generation."""
    metadata = {"namespace": "team-a", "name": "train", "uid": "u1", "generation": 3, "resourceVersion": "9"}
    made = ComputeJob.model_validate({"metadata": metadata, "spec": {"template": TEMPLATE, **spec}})
    return made if status is None else made.model_copy(update={"status": status})


def shard(state: str | None, node: str = "n1", *, attempt: int = 1, **status: Any) -> tuple[str, Dispatch]:
    """A Dispatch with its node."""
    spec: Object = {
        "job": {"namespace": "team-a", "name": "train", "uid": "u1"},
        "account": "team-a",
        "shard": 0,
        "attempt": attempt,
        "sequence": attempt,
        "manifest": {},
    }
    metadata = {"name": f"train-{attempt}", "uid": f"d{attempt}", "resourceVersion": "1"}
    told = {key: value for key, value in {"state": state, **status}.items() if value is not None}
    return node, Dispatch.model_validate({"metadata": metadata, "spec": spec, "status": told})


def many(state: str, count: int) -> list[tuple[str, Dispatch]]:
    """So many attempts that ended alike."""
    return [shard(state, attempt=number) for number in range(1, count + 1)]


def unplaced() -> Unplaced:
    """A verdict of a scheduling cycle."""
    return Unplaced(demand_of(job(), "team-a"), never=False, reason="NoRoom", message="2 nodes", explanation=EXPLAINED)


EXPLAINED = Explanation(reasons={"NoRoom": 2})
REFUSED = Refusal("TemplateInvalid", "spec.template.foo: unknown")


def facts(of: ComputeJob | None = None, *dispatches: tuple[str, Dispatch], **known: Any) -> Facts:
    """What is known of a job that was admitted."""
    rest: Object = {
        "refusal": None,
        "admitted": True,
        "unplaced": None,
        "problem": None,
        "cost": None,
        "explanation": None,
        "estimate": None,
        "completions": 4,
        "gpus": 0,
        "unreachable": {},
        "uncleared": (),
        "waits": {},
        "leaving": {},
        "now": NOW,
    }
    shown = of or job()
    completions = {**rest, **known}["completions"]
    work = work_of({**({} if completions is None else {"completions": completions}), **shown.spec.template})
    return Facts(shown, work, dispatches, progress_of(work, dispatches), **{**rest, **known})


def told(status: ComputeJobStatus) -> Told:
    """Its conditions in short."""
    return {(c.type, c.status, c.reason) for c in status.conditions}


ADMITTED = ("Admitted", "True", "TemplateValid")
PLACED = ("Placed", "True", "Dispatched")
PROBLEM: Object = {"reason": "ImagePullBackOff", "message": "no such image", "pods": 2}
COMPLETE: Object = {"reason": "CompletionsReached", "message": "4 pods", "completionTime": BEFORE, "succeeded": 4}

PHASES = [
    pytest.param(
        facts(refusal=REFUSED, admitted=False),
        Phase.FAILED,
        {("Admitted", "False", "TemplateInvalid"), ("Failed", "True", "TemplateInvalid")},
        id="refused-template",
    ),
    pytest.param(facts(admitted=False), Phase.PENDING, set(), id="not-judged-yet"),
    pytest.param(facts(), Phase.PENDING, {ADMITTED}, id="admitted"),
    pytest.param(facts(unplaced=unplaced()), Phase.PENDING, {ADMITTED, ("Placed", "False", "NoRoom")}, id="unplaced"),
    pytest.param(
        facts(problem=("DispatchFailed", "forbidden"), unplaced=unplaced()),
        Phase.PENDING,
        {ADMITTED, ("Placed", "False", "DispatchFailed")},
        id="problem-before-unplaced",
    ),
    pytest.param(
        facts(job(suspend=True), unplaced=unplaced()),
        Phase.SUSPENDED,
        {ADMITTED, ("Placed", "False", "Suspended")},
        id="suspended-before-placement",
    ),
    pytest.param(
        facts(job(cancel=True), unplaced=unplaced()),
        Phase.CANCELLED,
        {ADMITTED, ("Failed", "True", "Cancelled")},
        id="cancelled-before-placement",
    ),
    pytest.param(
        facts(job(cancel=True, suspend=True)),
        Phase.CANCELLED,
        {ADMITTED, ("Failed", "True", "Cancelled")},
        id="cancelled-while-suspended",
    ),
    pytest.param(facts(None, shard(None)), Phase.DISPATCHED, {ADMITTED, PLACED}, id="dispatched"),
    pytest.param(facts(None, shard("Accepted")), Phase.DISPATCHED, {ADMITTED, PLACED}, id="accepted"),
    pytest.param(facts(None, shard("Running")), Phase.RUNNING, {ADMITTED, PLACED}, id="running"),
    pytest.param(facts(job(suspend=True), shard("Running")), Phase.RUNNING, {ADMITTED, PLACED}, id="not-suspended-yet"),
    pytest.param(facts(job(suspend=True), shard("Suspended")), Phase.SUSPENDED, {ADMITTED, PLACED}, id="suspended"),
    pytest.param(facts(job(cancel=True), shard("Running")), Phase.RUNNING, {ADMITTED, PLACED}, id="not-cancelled-yet"),
    pytest.param(
        facts(job(cancel=True), shard("Cancelled")),
        Phase.CANCELLED,
        {ADMITTED, ("Failed", "True", "Cancelled")},
        id="cancelled",
    ),
    pytest.param(
        facts(job(cancel=True), shard("Succeeded", **COMPLETE)),
        Phase.SUCCEEDED,
        {ADMITTED, PLACED, ("Complete", "True", "CompletionsReached")},
        id="cancelled-too-late",
    ),
    pytest.param(
        facts(None, shard("Succeeded", **COMPLETE)),
        Phase.SUCCEEDED,
        {ADMITTED, PLACED, ("Complete", "True", "CompletionsReached")},
        id="succeeded",
    ),
    pytest.param(
        facts(None, shard("Failed", reason="BackoffLimitExceeded", message="7 times")),
        Phase.FAILED,
        {ADMITTED, PLACED, ("Failed", "True", "BackoffLimitExceeded")},
        id="failed",
    ),
    pytest.param(
        facts(None, shard("Lost", message="vanished"), unplaced=unplaced()),
        Phase.PENDING,
        {ADMITTED, ("Placed", "False", "NoRoom")},
        id="lost",
    ),
    pytest.param(
        facts(None, shard("Refused", message="exists"), unplaced=unplaced()),
        Phase.PENDING,
        {ADMITTED, ("Placed", "False", "NoRoom")},
        id="refused-by-node",
    ),
    pytest.param(
        facts(None, shard("Lost"), shard("Running", "n2", attempt=2)),
        Phase.RUNNING,
        {ADMITTED, PLACED},
        id="lost-then-retried",
    ),
    pytest.param(
        facts(job(template=QUEUE), shard("Lost", succeeded=2), completions=None),
        Phase.FAILED,
        {ADMITTED, ("Failed", "True", "PartlyLost")},
        id="partly-lost",
    ),
    pytest.param(
        facts(None, *many("Lost", MAX_ATTEMPTS)),
        Phase.FAILED,
        {ADMITTED, ("Failed", "True", "TooManyAttempts")},
        id="too-many-lost",
    ),
    pytest.param(
        facts(None, *many("Refused", MAX_ATTEMPTS)),
        Phase.FAILED,
        {ADMITTED, ("Failed", "True", "TooManyAttempts")},
        id="too-many-refused",
    ),
    pytest.param(
        facts(None, *many("Lost", MAX_ATTEMPTS - 1), shard("Running", attempt=MAX_ATTEMPTS)),
        Phase.RUNNING,
        {ADMITTED, PLACED},
        id="last-attempt-runs",
    ),
    pytest.param(
        facts(job(cancel=True), *many("Lost", MAX_ATTEMPTS - 1), shard("Cancelled", attempt=MAX_ATTEMPTS)),
        Phase.CANCELLED,
        {ADMITTED, ("Failed", "True", "Cancelled")},
        id="last-attempt-cancelled",
    ),
    pytest.param(
        facts(None, shard("Suspended"), leaving={"n1": "n1 is drained, and the job is stopped there"}),
        Phase.SUSPENDED,
        {ADMITTED, ("Placed", "True", "Draining")},
        id="stopped-for-a-drain",
    ),
    pytest.param(
        facts(None, shard("Running"), unreachable={"n1": "Timeout", "n2": "Timeout"}),
        Phase.RUNNING,
        {ADMITTED, PLACED, ("Stalled", "True", "NodeUnreachable")},
        id="node-unreachable",
    ),
    pytest.param(
        facts(None, shard("Running"), unreachable={"n2": "Timeout"}),
        Phase.RUNNING,
        {ADMITTED, PLACED},
        id="another-node-unreachable",
    ),
    pytest.param(
        facts(None, shard("Succeeded", **COMPLETE), unreachable={"n1": "Timeout"}),
        Phase.SUCCEEDED,
        {ADMITTED, PLACED, ("Complete", "True", "CompletionsReached")},
        id="ended-before-node-was-unreachable",
    ),
    pytest.param(
        facts(None, shard("Running", podProblem=PROBLEM)),
        Phase.RUNNING,
        {ADMITTED, PLACED, ("Stalled", "True", "ImagePullBackOff")},
        id="pod-problem",
    ),
    pytest.param(
        facts(None, shard("Running", podProblem=PROBLEM), unreachable={"n1": "Timeout"}),
        Phase.RUNNING,
        {ADMITTED, PLACED, ("Stalled", "True", "NodeUnreachable")},
        id="unreachable-before-pod-problem",
    ),
    pytest.param(
        facts(None, shard("Running"), uncleared=("n1",)),
        Phase.RUNNING,
        {ADMITTED, PLACED, ("Stalled", "True", "DeletionOverdue")},
        id="deletion-overdue",
    ),
]


@pytest.mark.parametrize(("known", "phase", "conditions"), PHASES)
def test_phase_and_conditions(known: Facts, phase: Phase, conditions: Told) -> None:
    """Each state of affairs has its phase and its conditions; ends have a time, and nothing else has."""
    status = job_status(known)
    assert (status.phase, told(status)) == (phase, conditions)
    assert {c.last_transition_time for c in status.conditions} <= {NOW}
    assert {c.observed_generation for c in status.conditions} <= {3}
    assert status.observed_generation == 3
    ended = phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED}
    assert (status.completion_time is not None) == ended
    assert any(c.type in {"Complete", "Failed"} for c in status.conditions) == ended


@pytest.mark.parametrize(("known", "phase", "conditions"), PHASES)
def test_told_once(known: Facts, phase: Phase, conditions: Told) -> None:
    """What is known leads to the same status again later on, so that nothing is written twice."""
    status = job_status(known)
    of = known.job.model_copy(update={"status": status})
    names = ("refusal", "admitted", "unplaced", "problem", "cost", "explanation", "estimate", "completions", "gpus")
    same = {name: getattr(known, name) for name in (*names, "unreachable", "uncleared", "leaving")}
    again = job_status(facts(of, *known.dispatches, **{**same, "now": "2026-11-22T13:00:00Z"}))
    assert (again.phase, told(again)) == (phase, conditions)
    assert status_patch(status, again) is None


@pytest.mark.parametrize(
    "stalled",
    [
        pytest.param(facts(None, shard("Running"), unreachable={"n1": "Timeout"}), id="node-unreachable"),
        pytest.param(facts(None, shard("Running", podProblem=PROBLEM)), id="pod-problem"),
    ],
)
@pytest.mark.parametrize(
    "after", [shard("Running"), shard("Succeeded", **COMPLETE), shard("Lost")], ids=["runs", "succeeded", "lost"]
)
def test_stalled_is_taken_back(stalled: Facts, after: tuple[str, Dispatch]) -> None:
    """Once the node is back, the pods run or the shard has ended, Stalled is False, once, at that time."""
    before = job_status(stalled)
    now = job_status(facts(job(before), after, now="2026-11-22T12:05:00Z"))
    condition = find(now.conditions, "Stalled")
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "Progressing")
    assert condition.last_transition_time == "2026-11-22T12:05:00Z"
    later = job_status(facts(job(now), after, now="2026-11-22T12:06:00Z"))
    assert find(later.conditions, "Stalled") == condition


def test_transition_times_move_with_the_status_alone() -> None:
    """A new reason or message leaves the time of a condition; a new status moves it."""
    first = job_status(facts(unplaced=unplaced(), now=BEFORE))
    second = job_status(facts(job(first), problem=("DispatchFailed", "forbidden")))
    third = job_status(facts(job(second), shard(None)))
    times = [find(each.conditions, "Placed") for each in (first, second, third)]
    assert [c.last_transition_time for c in times if c] == [BEFORE, BEFORE, NOW]
    admitted = find(third.conditions, "Admitted")
    assert admitted is not None
    assert admitted.last_transition_time == BEFORE


def test_a_waiting_job_that_was_lost_says_where() -> None:
    """Who reads why a job is not placed reads who had it before and what was said of it."""
    status = job_status(facts(None, shard("Lost", message="its Job vanished"), unplaced=unplaced()))
    condition = find(status.conditions, "Placed")
    assert condition is not None
    assert condition.message == "2 nodes; n1 had it before: its Job vanished"


def test_figures_over_attempts() -> None:
    """Counts are summed over attempts, active pods over live ones; nodes are the live ones; shards are all."""
    lost = shard("Lost", failed=1, message="gone", startTime=BEFORE)
    runs = shard("Running", "n2", attempt=2, active=2, succeeded=1, startTime=NOW, completedIndexes="0")
    status = job_status(facts(job(template=INDEXED), lost, runs, cost=Money(amount="1", currency="CNY")))
    assert (status.active, status.succeeded, status.failed, status.done) == (2, 1, 1, "1/4")
    assert (status.nodes, status.start_time, status.completed_indexes) == ("n2", BEFORE, "0")
    assert [(s.node, s.attempt, s.state, s.message) for s in status.shards] == [
        ("n1", 1, "Lost", "gone"),
        ("n2", 2, "Running", ""),
    ]


@pytest.mark.parametrize(
    ("completions", "done"), [(4, "3/4"), (0, "3/0"), (None, "3")], ids=["fixed", "none", "work-queue"]
)
def test_done(completions: int | None, done: str) -> None:
    """The column shows how many of how many, or only how many where no number was asked for."""
    of = job(template=QUEUE) if completions is None else None
    assert job_status(facts(of, shard("Running", succeeded=3), completions=completions)).done == done


def test_what_is_too_long_for_the_status_is_left_out() -> None:
    """Index lists beyond the limit are not cut into other lists: they are left out. Only 64 shards are told."""
    long = ",".join(map(str, range(0, 4000, 2)))
    assert len(long) > INDEXES_LIMIT
    attempts = [shard("Lost", attempt=n, succeeded=1) for n in range(1, 70)]
    template = {**INDEXED, "completions": 4000}
    runs = shard("Running", attempt=70, completedIndexes=long)
    status = job_status(facts(job(template=template), *attempts, runs, completions=4000))
    assert status.succeeded == 2000
    assert status.completed_indexes is None
    assert [s.attempt for s in status.shards] == list(range(7, 71))


def test_what_is_known_no_longer_stays() -> None:
    """Cost, estimate, explanation and end that were told once stay when a later hub does not know them."""
    money = Money(amount="1.5", currency="CNY")
    first = job_status(facts(None, shard("Succeeded", **COMPLETE), cost=money, estimate=money, explanation=EXPLAINED))
    assert first.completion_time == BEFORE
    second = job_status(facts(job(first), shard("Succeeded", **COMPLETE)))
    assert status_patch(first, second) is None


@pytest.mark.parametrize(
    ("old", "new", "waited_for"),
    [
        pytest.param(facts(), facts(), False, id="same"),
        pytest.param(facts(admitted=False), facts(), False, id="admitted"),
        pytest.param(facts(unplaced=unplaced()), facts(None, shard(None)), False, id="placed"),
        pytest.param(facts(unplaced=unplaced()), facts(problem=("DispatchFailed", "x")), False, id="other-reason"),
        pytest.param(facts(None, shard(None)), facts(None, shard("Running")), False, id="begins-to-run"),
        pytest.param(facts(None, shard("Running")), facts(None, shard("Running", active=2)), False, id="progress"),
        pytest.param(facts(None, shard("Running")), facts(None, shard("Suspended")), True, id="suspended"),
        pytest.param(facts(None, shard("Running")), facts(None, shard("Succeeded", **COMPLETE)), True, id="succeeded"),
        pytest.param(
            facts(None, shard("Running")),
            facts(None, shard("Running"), unreachable={"n1": "Timeout"}),
            True,
            id="stalled",
        ),
    ],
)
def test_urgent(old: Facts, new: Facts, waited_for: bool) -> None:
    """Ends, pauses and troubles are told at once; that it waits, is placed or runs, and how far it is, can wait."""
    assert urgent(job_status(old), job_status(new)) is waited_for


def rfc7386(target: Any, patch: Any) -> Any:
    """MergePatch of RFC 7386, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = rfc7386(result.get(name), value)
    return result


# Statuses hold no null: what is not set is left out.
LEAVES = st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2) | st.lists(st.integers(0, 2), max_size=3)
VALUES = st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_merge_patch_leads_from_one_to_the_other(before: Object, after: Object) -> None:
    """Applied to `before` as RFC 7386 says, the patch gives `after`; it is empty only where nothing differs."""
    patch = merge_patch(before, after)
    assert rfc7386(before, patch) == after
    assert bool(patch) == (before != after)


def test_status_patch_takes_fields_back() -> None:
    """What a status no longer has is set to null, so that the API server drops it."""
    old = job_status(facts(None, shard("Succeeded", completionTime=BEFORE)))
    new = old.model_copy(update={"completion_time": None})
    assert status_patch(old, new) == {"completionTime": None}


EARLY, DUE = "2026-11-22T11:59:59Z", "2026-11-22T12:00:01Z"


@pytest.mark.parametrize(
    ("known", "late"),
    [
        pytest.param(facts(job(deadline=DUE)), None, id="there is time"),
        pytest.param(facts(job()), None, id="no deadline"),
        pytest.param(
            facts(job(deadline=EARLY), unplaced=unplaced()),
            (
                "True",
                "DeadlinePassed",
                f"the deadline {EARLY} has passed; the job goes on: cancel it if it is of no use any more",
            ),
            id="it waits",
        ),
        pytest.param(
            facts(job(deadline=EARLY), shard("Succeeded", succeeded=1, completionTime=NOW, released=True)),
            ("True", "DeadlinePassed", f"the job was done at {NOW}, after its deadline, {EARLY}"),
            id="done late",
        ),
        pytest.param(
            facts(job(deadline=EARLY), shard("Succeeded", succeeded=1, completionTime=BEFORE, released=True)),
            None,
            id="done in time",
        ),
        pytest.param(facts(job(deadline=EARLY), refusal=REFUSED), None, id="what has failed is not late"),
        pytest.param(facts(job(deadline=EARLY, cancel=True)), None, id="nor what was cancelled"),
    ],
)
def test_late(known: Facts, late: tuple[str, str, str] | None) -> None:
    """A job whose deadline has passed before it was done is told so, and goes on."""
    found = find(job_status(known).conditions, "Late")
    assert (found and (found.status, found.reason, found.message)) == late


def test_late_is_taken_back() -> None:
    """A deadline that is moved, or taken out, ends the lateness."""
    before = job_status(facts(job(deadline=EARLY)))
    for spec in ({"deadline": DUE}, {}):
        found = find(job_status(facts(job(before, **spec))).conditions, "Late")
        assert found is not None
        assert (found.status, found.reason) == ("False", "InTime")
