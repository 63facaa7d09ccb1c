"""Why a job stands where it does, or nowhere: bounded for the job's status, and in one sentence."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isthmus.api.computejob import EXPLANATION_NODES, Explanation, NodeVerdict
from isthmus.api.conditions import truncated

from .allowance import Allowance
from .candidate import Candidate
from .demand import Demand
from .filters.room import crowded, reason_of
from .jobclass import Entry, JobClass, by_rank
from .verdict import Rejection

EXPLANATION_BYTES = 8192
_MESSAGE = 256
_REASONS = 32
_OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Every node's verdict on one class at one moment: with room, without, and ruled out; as told to an account."""

    open: Sequence[Entry]
    crowded: Sequence[Candidate]
    rejected: Mapping[str, Rejection]
    account: str

    @property
    def never(self) -> bool:
        """Whether no node could ever run it as job and nodes stand."""
        ruled_out = bool(self.rejected) and not self.open and not self.crowded
        return ruled_out and all(r.permanent for r in self.rejected.values())

    def reasons(self) -> Counter[str]:
        """Nodes by reason, over all of them."""
        reasons = Counter(truncated(rejection.reason, 64) for rejection in self.rejected.values())
        reasons.update(reason_of(candidate) for candidate in self.crowded)
        return reasons

    def all_rejected(self) -> dict[str, Rejection]:
        """The verdict on every node that can't take it now."""
        return {**self.rejected, **{c.node.name: crowded(c, self.account) for c in self.crowded}}


def verdicts_of(job_class: JobClass, demand: Demand, limits: Allowance | None = None) -> Verdicts:
    """Every node's verdict on a job of the class as its rooms stand now.

    `limits` are those of its account, None where it has none. With an account without a name it is told to anyone.
    """
    entries, over = job_class.ranked(), {}
    if limits is not None:
        asked = [(entry, limits.refusal(demand, entry.candidate.pod)) for entry in entries]
        entries = [entry for entry, refusal in asked if refusal is None]
        within = {entry.candidate.node.name for entry in entries}
        over = {e.candidate.node.name: r for e, r in asked if r is not None and e.candidate.node.name not in within}
    entries = job_class.by_node(entries)
    return Verdicts(
        open=[entry for entry in entries if entry.rank is not None],
        crowded=[entry.candidate for entry in entries if entry.rank is None],
        rejected={**job_class.rejected, **over} if over else job_class.rejected,
        account=demand.account,
    )


def explain(verdicts: Verdicts, winners: Sequence[str] = ()) -> Explanation:
    """The verdicts within the bounds of a job's status: at most 16 nodes and 8 KiB of JSON.

    `winners` are the nodes that get the job, the best first, and stand first; the first of them is named the winner.
    Then the other nodes with room, the best first; then the nodes without, one for each reason before the rest. Where
    there are more than 16, at least half of the places go to nodes without room, if there are so many. The counts are
    over all nodes.
    """
    without = len(verdicts.crowded) + len(verdicts.rejected)
    places = EXPLANATION_NODES - min(without, EXPLANATION_NODES // 2)
    best = by_rank(verdicts.open)
    if [entry.candidate.node.name for entry in best[: len(winners)]] != list(winners):  # others lack room for a piece
        best.sort(key=lambda entry: entry.candidate.node.name not in winners)
    best = best[: max(places, EXPLANATION_NODES - without)]
    told = _told(verdicts, EXPLANATION_NODES - len(best))
    reasons = _bounded(verdicts.reasons())
    for limit in (_MESSAGE, 128, 48, 0):
        against = [
            NodeVerdict(node=n, reason=truncated(r.reason, 64), message=truncated(r.message, limit) if limit else None)
            for n, r in told
        ]
        shown = [_scored(entry, limit) for entry in best]
        explanation = Explanation(winner=winners[0] if winners else None, reasons=reasons, nodes=[*shown, *against])
        if len(_json(explanation)) <= EXPLANATION_BYTES:
            break
    return explanation


def explain_winner(explanation: Explanation, verdicts: Verdicts, winner: Entry) -> Explanation:
    """The verdicts as explained with no winner, for the node that gets the job: it stands first."""
    name = winner.candidate.node.name
    scored = [verdict for verdict in explanation.nodes if verdict.score is not None]
    others = [verdict for verdict in scored if verdict.node != name]
    own = _scored(winner, _MESSAGE)
    shown = [own, *others][: len(scored)]
    told = explanation.model_copy(update={"winner": name, "nodes": [*shown, *explanation.nodes[len(scored) :]]})
    if len(others) < len(scored) or len(_json(told)) <= EXPLANATION_BYTES:
        return told
    return explain(verdicts, [name])


def _scored(entry: Entry, limit: int) -> NodeVerdict:
    """The entry as it enters an explanation; what placement made itself needs no checking, thousands in a cycle."""
    told = entry.told
    if len(told) <= limit or not told:
        if entry.verdict is None:
            entry.verdict = _verdict(entry, told)
        return entry.verdict
    return _verdict(entry, truncated(told, limit) if limit else "")


def _verdict(entry: Entry, told: str) -> NodeVerdict:
    return NodeVerdict.model_construct(
        node=entry.candidate.node.name,
        variant=entry.candidate.demand.variant,
        score=entry.score.total,
        parts=entry.parts,
        message=told or None,
    )


def _json(explanation: Explanation) -> bytes:
    return explanation.model_dump_json(by_alias=True, exclude_none=True).encode()


def _told(verdicts: Verdicts, limit: int) -> list[tuple[str, Rejection]]:
    """The nodes to tell of: one for each reason first, each group by name."""
    lacking = {candidate.node.name: candidate for candidate in verdicts.crowded}
    reasons = {**{n: r.reason for n, r in verdicts.rejected.items()}, **{n: reason_of(c) for n, c in lacking.items()}}
    first: dict[str, str] = {}
    names = sorted(reasons)
    for name in names:
        first.setdefault(reasons[name], name)
    ones = set(first.values())
    chosen = [*(n for n in names if n in ones), *(n for n in names if n not in ones)][:limit]
    return [(n, crowded(lacking[n], verdicts.account) if n in lacking else verdicts.rejected[n]) for n in chosen]


def _bounded(reasons: Counter[str]) -> dict[str, int]:
    """The counts by reason, the rarest summed up where there are too many."""
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    kept = dict(ordered[: _REASONS - 1])
    rest = sum(count for _, count in ordered[_REASONS - 1 :])
    return {**kept, _OTHER: rest} if rest else kept


def summary(verdicts: Verdicts) -> str:
    """One sentence for people: how many nodes would do, and the reasons against the others, commonest first.

    A reason's gist is given where it is the same for all nodes with that reason, its message where it is the only one.
    """
    against = verdicts.all_rejected()
    if not against and not verdicts.open:
        return "there are no nodes"
    by_reason: dict[str, list[Rejection]] = {}
    for rejection in against.values():
        by_reason.setdefault(rejection.reason, []).append(rejection)
    told: list[str] = []
    for reason, found in sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        gist = _common([r.message for r in found]) if len(by_reason) == 1 else ""
        gist = gist or _common([r.gist for r in found])
        told.append(f"{len(found)} {reason} ({gist})" if gist else f"{len(found)} {reason}")
    head = f"{len(verdicts.open)}/{len(verdicts.open) + len(against)} nodes are available"
    return truncated(f"{head}: {', '.join(told)}" if told else head)


def _common(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else ""
