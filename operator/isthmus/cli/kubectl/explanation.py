"""Why a job stands where it does: the hub's whole answer, or what the job's status has room for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.cli.table import Table

from .sheet import Part, Sheet

Object = Mapping[str, Any]
_VERDICTS = {"Chosen": 0, "Fits": 1, "Rejected": 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one node was found to be for the job."""

    node: str
    variant: str
    verdict: str
    reason: str
    message: str
    score: str
    parts: str
    price: str
    fit: tuple[str, str, str] = ("", "", "")
    """The largest free block on one machine, pods that have room now, and would if all machines were empty."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The winner first. `counts` are over all nodes; `note` says what is missing of the whole."""

    job: str
    phase: str
    decided: str
    message: str
    verdicts: Sequence[Verdict]
    counts: Sequence[tuple[str, int]]
    note: str = ""
    remedies: Sequence[tuple[str, str]] = ()
    """What would have to change for it to run: a word and a sentence each."""


def from_query(document: Object) -> Explained:
    """The query API's document."""
    verdicts = [
        Verdict(
            node=str(each.get("node", "")),
            variant=str(each.get("variant") or ""),
            verdict=str(each.get("verdict", "")),
            reason=str(each.get("reason") or ""),
            message=str(each.get("message") or ""),
            score="" if each.get("score") is None else str(each["score"]),
            parts=_parts(each.get("scoreParts")),
            price=_price(each.get("price")),
            fit=_fit(each.get("fit")),
        )
        for each in document.get("nodes") or ()
    ]
    counts = [(str(each["reason"]), int(each["nodes"])) for each in document.get("counts") or ()]
    metadata = document.get("metadata") or {}
    return Explained(
        job=f"{metadata.get('namespace')}/{metadata.get('name')}",
        phase=str(document.get("phase") or ""),
        decided=str(document.get("decisionTime") or ""),
        message=str(document.get("message") or ""),
        verdicts=verdicts,
        counts=counts,
        remedies=[(str(each["change"]), str(each["message"])) for each in document.get("remedies") or ()],
    )


def from_status(job: Object, why: str) -> Explained:
    """What the job's own status holds; `why` there is no more."""
    metadata, status = job["metadata"], job.get("status") or {}
    explanation = status.get("explanation") or {}
    chosen = set(filter(None, [explanation.get("winner")]))
    verdicts = [
        Verdict(
            node=str(each["node"]),
            variant=str(each.get("variant") or ""),
            verdict="Rejected" if each.get("reason") else "Chosen" if each["node"] in chosen else "Fits",
            reason=str(each.get("reason") or ""),
            message=str(each.get("message") or ""),
            score="" if each.get("score") is None else str(each["score"]),
            parts=_parts(each.get("parts")),
            price="",
        )
        for each in explanation.get("nodes") or ()
    ]
    counts = [(str(reason), int(nodes)) for reason, nodes in (explanation.get("reasons") or {}).items()]
    told = [c for c in status.get("conditions") or () if c.get("type") in {"Placed", "Stalled", "Failed"}]
    placed: Object = next((c for c in told if c["type"] != "Stalled" or c.get("status") == "True"), {})
    return Explained(
        job=f"{metadata.get('namespace')}/{metadata['name']}",
        phase=str(status.get("phase") or ""),
        decided="",
        message=str(placed.get("message") or ""),
        verdicts=verdicts,
        counts=counts,
        note=f"at most 16 nodes, from the job's status: {why}",
    )


def explanation_sheet(explained: Explained, hint: str = "") -> Sheet:
    """The page; `hint` is what else may help."""
    fields = [
        ("Job", explained.job),
        ("Phase", explained.phase),
        ("Decided", explained.decided),
        ("Why", explained.message),
        ("Hint", hint),
        ("Note", explained.note),
    ]
    ordered = sorted(explained.verdicts, key=lambda each: _VERDICTS.get(each.verdict, 3))
    headings = ("NODE", "VARIANT", "VERDICT", "SCORE", "PRICE/H", "BLOCK", "NOW", "EMPTY", "PARTS", "REASON", "MESSAGE")
    rows = [(v.node, v.variant, v.verdict, v.score, v.price, *v.fit, v.parts, v.reason, v.message) for v in ordered]
    used = [place for place, _ in enumerate(headings) if any(row[place] for row in rows)]
    shown = Table(tuple(headings[p] for p in used), [tuple(row[p] for p in used) for row in rows])
    counts = Table(("REASON", "NODES"), [(reason, str(nodes)) for reason, nodes in explained.counts])
    changes = Table(("CHANGE", "WHAT"), list(explained.remedies))
    nodes = Part("Nodes", shown, none="the hub has not looked at it yet")
    return Sheet(fields, [nodes, Part("Kept out by", counts), Part("Would run with one of", changes)])


def _parts(parts: Object | None) -> str:
    return " ".join(f"{name}={value}" for name, value in (parts or {}).items())


def _price(price: Object | None) -> str:
    return f"{price.get('amountPerHour')} {price.get('currency')}" if price else ""


def _fit(fit: Object | None) -> tuple[str, str, str]:
    found = fit or {}
    block, now, empty = (found.get(key, "") for key in ("largestFreeBlock", "podsNow", "podsIfEmpty"))
    return str(block), str(now), str(empty)
