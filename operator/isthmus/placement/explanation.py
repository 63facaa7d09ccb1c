"""Why a job stands where it does, or nowhere: bounded for the job's status, and in one sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.api.computejob import EXPLANATION_NODES, Explanation, NodeVerdict
from isthmus.api.conditions import truncated

from .filters import ROOM
from .jobclass import Entry, JobClass
from .verdict import Rejection, Score

EXPLANATION_BYTES = 8192
_MESSAGE = 256
_REASONS = 32
_OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Account:
    """Every node's verdict on one job at one moment."""

    scored: Sequence[tuple[str, Score]]
    rejected: Sequence[tuple[str, Rejection]]


def explain(account: Account, winner: str | None) -> Explanation:
    """The account within the bounds of a job's status: at most 16 nodes and 8 KiB of JSON.

    First the winner, then the other nodes by score, then one node for each reason, then the rest; the counts are over
    all nodes.
    """
    scored = sorted(account.scored, key=lambda pair: (pair[0] != winner, -pair[1].total, pair[0]))
    reasons = Counter(rejection.reason for _, rejection in account.rejected)
    first: dict[str, str] = {}
    for name, rejection in account.rejected:
        first.setdefault(rejection.reason, name)
    rejected = sorted(account.rejected, key=lambda pair: (first[pair[1].reason] != pair[0], pair[0]))
    room_for_scored = EXPLANATION_NODES - min(len(rejected), max(EXPLANATION_NODES // 2, 16 - len(scored)))
    shown = scored[:room_for_scored]
    for limit in (_MESSAGE, 128, 48):
        verdicts = [NodeVerdict(node=n, score=s.total, parts=dict(s.parts)) for n, s in shown]
        verdicts += [
            NodeVerdict(node=n, reason=truncated(r.reason, 64), message=truncated(r.message, limit))
            for n, r in rejected[: EXPLANATION_NODES - len(shown)]
        ]
        explanation = Explanation(winner=winner, reasons=_bounded(reasons), nodes=verdicts)
        if len(explanation.model_dump_json(by_alias=True, exclude_none=True)) <= EXPLANATION_BYTES:
            break
    return explanation


def _bounded(reasons: Counter[str]) -> dict[str, int]:
    """The counts by reason, the rarest summed up where there are too many."""
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    kept = {truncated(reason, 64): count for reason, count in ordered[: _REASONS - 1]}
    rest = sum(count for _, count in ordered[_REASONS - 1 :])
    return {**kept, _OTHER: rest} if rest else kept


def summary(account: Account) -> str:
    """One sentence for people: how many nodes would do, and the reasons against the others, commonest first.

    A reason's message is given where all nodes with that reason say the same.
    """
    total = len(account.scored) + len(account.rejected)
    if not total:
        return "there are no nodes"
    messages: dict[str, Counter[str]] = {}
    for _, rejection in account.rejected:
        messages.setdefault(rejection.reason, Counter())[rejection.message] += 1
    ordered = sorted(messages.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    told = [
        f"{found.total()} {reason} ({next(iter(found))})" if len(found) == 1 else f"{found.total()} {reason}"
        for reason, found in ordered
    ]
    head = f"{len(account.scored)}/{total} nodes are available"
    return truncated(f"{head}: {', '.join(told)}" if told else head)


def account_of(job_class: JobClass) -> Account:
    """Every node's verdict on the class as its rooms stand now."""
    scored = [(entry.candidate.node.name, score) for entry, score in job_class.scored()]
    rejected = [*job_class.rejected.items(), *((e.candidate.node.name, _full(e)) for e in job_class.full())]
    return Account(scored, sorted(rejected, key=lambda pair: pair[0]))


def _full(entry: Entry) -> Rejection:
    found = ROOM(entry.candidate)
    return found if found is not None else Rejection("InsufficientCapacity", "no room now")
