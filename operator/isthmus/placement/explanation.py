"""Why a job stands where it does, or nowhere: bounded for the job's status, and in one sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.api.computejob import EXPLANATION_NODES, Explanation, NodeVerdict
from isthmus.api.conditions import truncated

from .filters import crowded
from .jobclass import JobClass
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
    for limit in (_MESSAGE, 128, 48, 0):
        verdicts = [NodeVerdict(node=n, score=s.total, parts=dict(s.parts)) for n, s in shown]
        verdicts += [
            NodeVerdict(node=n, reason=truncated(r.reason, 64), message=truncated(r.message, limit) if limit else None)
            for n, r in rejected[: EXPLANATION_NODES - len(shown)]
        ]
        explanation = Explanation(winner=winner, reasons=_bounded(reasons), nodes=verdicts)
        if len(explanation.model_dump_json(by_alias=True, exclude_none=True).encode()) <= EXPLANATION_BYTES:
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

    A reason's gist is given where it is the same for all nodes with that reason, its message where it is the only one.
    """
    total = len(account.scored) + len(account.rejected)
    if not total:
        return "there are no nodes"
    by_reason: dict[str, list[Rejection]] = {}
    for _, rejection in account.rejected:
        by_reason.setdefault(rejection.reason, []).append(rejection)
    told: list[str] = []
    for reason, found in sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        gist = _common([r.message for r in found]) if len(by_reason) == 1 else ""
        gist = gist or _common([r.gist for r in found])
        told.append(f"{len(found)} {reason} ({gist})" if gist else f"{len(found)} {reason}")
    head = f"{len(account.scored)}/{total} nodes are available"
    return truncated(f"{head}: {', '.join(told)}" if told else head)


def _common(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else ""


def account_of(job_class: JobClass) -> Account:
    """Every node's verdict on the class as its rooms stand now."""
    scored = [(entry.candidate.node.name, score) for entry, score in job_class.scored()]
    rejected = [*job_class.rejected.items(), *((e.candidate.node.name, crowded(e.candidate)) for e in job_class.full())]
    return Account(scored, sorted(rejected, key=lambda pair: pair[0]))
