"""The whole explanation of a job's last decision: every node, what it was found to be, and why. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from isthmus.agent import timestamp
from isthmus.api.computejob import EXPLANATION_NODES, ComputeJob, Money, NodeVerdict
from isthmus.api.conditions import find
from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.hub.jobsize import placement_of
from isthmus.placement import Examination, Finding, Remedy, ShapeFit
from isthmus.settlement.money import ROUNDING

from .refusals import API_VERSION

_CENT = Decimal("0.0001")
_TELLING = (("Stalled", "True"), ("Failed", "True"), ("Placed", "False"), ("Placed", "True"), ("Admitted", "False"))


@dataclass(frozen=True, slots=True)
class Decision:
    """What is kept of the last decision: the nodes that it chose, and what it told of these and others."""

    chosen: Mapping[str, Money | None]
    """With the price of an hour, as estimated then."""
    variants: Mapping[str, str | None]
    """The form of the job that each of these runs."""
    told: Mapping[str, NodeVerdict]
    time: str
    """When it was made, RFC 3339."""
    whole: bool
    """Whether it tells of every node: of so many as a status has room for, all are told of."""


def decision_of(dispatches: Sequence[tuple[str, Dispatch]], *, waiting: bool) -> Decision | None:
    """The decision that the job's shards stand by; None where none stands and all that is left waits for the next.

    `dispatches` are all of the job's, the first attempt first.
    """
    live = [(node, d) for node, d in dispatches if d.status.state not in TERMINAL]
    if not dispatches or (waiting and not live):
        return None
    last = [(node, d) for node, d in dispatches if d.spec.attempt == dispatches[-1][1].spec.attempt]
    standing = live or last
    kept = [(node, d, *placement_of([(node, d)], None)) for node, d in standing]
    chosen = {node: estimate for node, _, _, estimate in kept}
    variants = {node: d.spec.variant for node, d, _, _ in kept}
    told = {v.node: v for _, _, explanation, _ in kept if explanation is not None for v in explanation.nodes}
    whole = all(each is not None and len(each.nodes) < EXPLANATION_NODES for _, _, each, _ in kept)
    return Decision(chosen, variants, told, str(standing[-1][1].metadata.get("creationTimestamp", "")), whole)


def document(
    job: ComputeJob,
    decision: Decision | None,
    examined: Examination | None,
    now: datetime,
    *,
    waiting: bool,
    remedies: Sequence[Remedy] = (),
) -> Manifest:
    """The answer. `examined` is how all nodes stand now, `remedies` what would have to change for a job that waits.

    Where the job, or a part of it, waits, what holds now goes before what was told earlier. What fits on a node's
    machines is always told as it is now.
    """
    told = decision.told if decision is not None else {}
    chosen = decision.chosen if decision is not None else {}
    found = {finding.node: finding for finding in examined.findings} if examined is not None else {}
    variants = decision.variants if decision is not None else {}
    fits = {node: finding.fit for node, finding in found.items()}
    rows = [
        _kept(node, told.get(node), money, fits.get(node), variant=variants.get(node)) for node, money in chosen.items()
    ]
    others = [finding for node, finding in found.items() if node not in chosen and (waiting or node not in told)]
    fresh = {finding.node for finding in others}
    earlier = [v for node, v in told.items() if node not in chosen and node not in fresh]
    rest = [
        *(_kept(v.node, v, _price(found.get(v.node)), fits.get(v.node), standing=False) for v in earlier),
        *(_recomputed(finding) for finding in others),
    ]
    rest.sort(key=_order)
    rows += rest
    answer: Manifest = {
        "apiVersion": API_VERSION,
        "kind": "Explanation",
        "metadata": {key: job.metadata[key] for key in ("name", "namespace", "uid")},
        "decisionTime": decision.time if decision is not None else timestamp(now),
        "phase": str(job.status.phase or "Pending"),
        "message": _message(job, examined if decision is None else None),
        "nodes": rows,
        "counts": _counts(rows),
        "remedies": [
            {"change": each.change, "message": each.message, "nodes": [*each.nodes[:EXPLANATION_NODES]]}
            for each in remedies
        ],
    }
    if decision is not None and others:
        answer["recomputedTime"] = timestamp(now)
        for row in rows:
            row["recomputed"] = row["node"] in fresh
    return answer


def _kept(
    node: str,
    verdict: NodeVerdict | None,
    price: Money | None,
    fit: ShapeFit | None,
    *,
    standing: bool = True,
    variant: str | None = None,
) -> Manifest:
    against = verdict is not None and verdict.reason is not None
    return _row(
        node,
        "Chosen" if standing else "Rejected" if against else "Fits",
        variant=variant or (None if verdict is None else verdict.variant),
        reason="" if verdict is None else verdict.reason or "",
        message="" if verdict is None else verdict.message or "",
        score=None if verdict is None else verdict.score,
        parts={} if verdict is None else verdict.parts or {},
        price=price,
        fit=fit,
    )


def _recomputed(finding: Finding) -> Manifest:
    rejection, score = finding.rejection, finding.score
    return _row(
        finding.node,
        "Fits" if rejection is None else "Rejected",
        variant=finding.variant,
        reason=rejection.reason if rejection else "",
        message=rejection.message if rejection else score.note if score else "",
        score=score.total if score else None,
        parts=score.parts if score else {},
        price=_price(finding),
        fit=finding.fit,
    )


def _row(
    node: str,
    verdict: str,
    *,
    variant: str | None,
    reason: str,
    message: str,
    score: int | None,
    parts: Mapping[str, int],
    price: Money | None,
    fit: ShapeFit | None,
) -> Manifest:
    room = None
    if fit is not None:
        room = {"largestFreeBlock": fit.largest_block, "podsNow": fit.pods_now, "podsIfEmpty": fit.pods_empty}
    money = None if price is None else {"amountPerHour": price.amount, "currency": price.currency}
    return {
        "node": node,
        **({} if variant is None else {"variant": variant}),
        "verdict": verdict,
        "reason": reason,
        "message": message,
        "score": score,
        "scoreParts": dict(parts),
        "price": money,
        "fit": room,
    }


def _price(finding: Finding | None) -> Money | None:
    if finding is None or finding.per_hour is None or not finding.currency:
        return None
    return Money(amount=f"{finding.per_hour.quantize(_CENT, context=ROUNDING):f}", currency=finding.currency)


def _order(row: Manifest) -> tuple[int, int, str]:
    """What fits before what does not, the highest score first, then by name."""
    return (row["verdict"] != "Fits", -(row["score"] or 0), row["node"])


def _counts(rows: Iterable[Manifest]) -> list[Manifest]:
    counts = Counter(row["reason"] for row in rows if row["verdict"] == "Rejected")
    return [{"reason": reason, "nodes": count} for reason, count in sorted(counts.items(), key=lambda p: (-p[1], p[0]))]


def _message(job: ComputeJob, examined: Examination | None) -> str:
    """The whole in a line: what holds now of a job that waits, else the most telling of its conditions."""
    for kind, status in _TELLING[:2]:
        condition = find(job.status.conditions, kind)
        if condition is not None and condition.status == status and condition.message:
            return condition.message
    if examined is not None:
        return examined.summary
    for kind, status in _TELLING[2:]:
        condition = find(job.status.conditions, kind)
        if condition is not None and condition.status == status and condition.message:
            return condition.message
    return "nothing has been decided yet"
