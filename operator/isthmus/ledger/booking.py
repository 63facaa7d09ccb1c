"""What one reading changes in the ledger: decided from what is booked, without touching the database."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from isthmus.api.computenode import Identity
from isthmus.api.conditions import truncated
from isthmus.api.dispatch import JobReference, MeterQuantity, Reading
from isthmus.api.instants import instant
from isthmus.settlement.tariff import Meter

LARGEST = 2**63 - 1
"""The largest sequence and quantity that a column holds."""

Quantities = Mapping[tuple[Meter, str], int]
"""Cumulative resource-time by meter and model; what is zero is left out."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC, as the tables keep instants."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """The instant of a column."""
    return _EPOCH + count * _MICROSECOND


@dataclass(frozen=True, slots=True)
class ReadingBooked:
    """A reading with everything that a line of a statement will say of it.

    `started_at` begins the first interval; without it that interval is empty (its whole usage stands at the reading's
    own instant). `identity` is needed only where the shard was dispatched without a tariff, which names it otherwise.
    `late_billed` says that no later shard did the work again that the reading's late time is of: it is then billed.
    """

    dispatch_uid: str
    job: JobReference
    account: str
    node: str
    attempt: int
    tariff_digest: str | None
    reading: Reading
    started_at: str | None = None
    identity: Identity | None = None
    late_billed: bool = False


class Outcome(StrEnum):
    """What became of a reading."""

    BOOKED = "Booked"
    """It stands in the ledger, and its difference, if any, is posted."""
    REPLAYED = "Replayed"
    """It was there already, or a later one that covers it was; nothing changed."""
    CONFLICT = "Conflict"
    """It contradicts what stands; it is recorded as a conflict and nothing is posted."""


@dataclass(frozen=True, slots=True)
class BookResult:
    """What became of a reading; for a conflict with a reason for machines and a message for people."""

    dispatch_uid: str
    sequence: int
    outcome: Outcome
    reason: str = ""
    message: str = ""
    lines: int = 0
    """How many lines of statements it made."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger holds of a dispatch. It begins at sequence 0 with nothing booked."""

    job_uid: str
    account: str
    node: str
    attempt: int
    tariff_digest: str | None
    sequence: int = 0
    observed_at: int | None = None
    final: bool = False
    quantities: Quantities = field(default_factory=dict)
    late: Quantities = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Book:
    """The reading is to be written; `posted` (all positive) stands for the interval [start_at, end_at).

    `totals` and `late` are cumulative. `late_differences` is what is new of the late time, be it posted or not.
    """

    start_at: int
    end_at: int
    totals: Quantities
    late: Quantities
    late_differences: Quantities
    posted: Quantities


@dataclass(frozen=True, slots=True)
class Covered:
    """A late reading: a later one is booked. It is written, so that its key is taken, and posts nothing."""

    observed_at: int


@dataclass(frozen=True, slots=True)
class Replay:
    """The same reading stands already."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The reading must not be booked."""

    reason: str
    message: str


Decision = Book | Covered | Replay | Conflict


def content(reading: Reading) -> str:
    """The part of a reading that money follows from, as canonical JSON in ASCII.

    `settled` and `settling` are the agent's own memory and stand outside: they may change under one sequence.
    """
    try:
        observed: int | str = to_microseconds(instant(reading.observed_at))
    except ValueError:
        observed = reading.observed_at
    fields = {
        "estimated": reading.estimated,
        "final": reading.final,
        "observedAt": observed,
        "sequence": reading.sequence,
        "total": sorted([each.meter, each.model, each.quantity] for each in reading.total if each.quantity),
    }
    late = sorted([each.meter, each.model, each.quantity] for each in reading.late if each.quantity)
    if late:  # so that a reading without has the content that it had before there was late time
        fields["late"] = late
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def content_digest(text: str) -> str:
    """SHA-256 of a reading's content, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def decide(item: ReadingBooked, digest: str, *, standing: Standing, known: str | None) -> Decision:
    """What the reading changes.

    `digest` is that of its content; `known` is that of the reading that stands under the same key, if one does. A
    reading is cumulative, so the highest sequence alone says what is to stand; the order of arrival doesn't matter.
    """
    sequence = item.reading.sequence
    checked = _checked(item.reading)
    if isinstance(checked, Conflict):
        return checked
    totals, late = checked
    if not _same_dispatch(item, standing):
        return Conflict("OtherDispatch", "the dispatch stands in the ledger with another job, payer, node or tariff")
    if known is not None:
        other = Conflict("OtherContent", f"reading {sequence} stands in the ledger with other content")
        return Replay() if known == digest else other
    if sequence < standing.sequence:
        above = _first_above(totals, standing.quantities) or _first_above(late, standing.late)
        other = Conflict("Contradicts", f"late reading {sequence} has more {above} than reading {standing.sequence}")
        return other if above else Covered(to_microseconds(instant(item.reading.observed_at)))
    return _advance(item, totals, late, standing)


def _same_dispatch(item: ReadingBooked, standing: Standing) -> bool:
    return (item.job.uid, item.account, item.node, item.attempt, item.tariff_digest) == (
        standing.job_uid,
        standing.account,
        standing.node,
        standing.attempt,
        standing.tariff_digest,
    )


def _advance(item: ReadingBooked, totals: Quantities, late: Quantities, standing: Standing) -> Book | Conflict:
    """Go on from what is booked to a reading of a higher sequence."""
    reading = item.reading
    fallen = _first_above(standing.quantities, totals) or _first_above(standing.late, late)
    if fallen:
        return Conflict("Fell", f"reading {reading.sequence} has less {fallen} than reading {standing.sequence}")
    differences = _more(totals, standing.quantities)
    late_differences = _more(late, standing.late)
    if standing.final and (differences or late_differences):
        return Conflict("AfterFinal", f"reading {reading.sequence} grew after reading {standing.sequence} was final")
    posted = dict(differences)
    for key, quantity in late_differences.items() if item.late_billed else ():
        posted[key] = posted.get(key, 0) + quantity
    end_at = to_microseconds(instant(reading.observed_at))
    start_at = _started(item.started_at, end_at) if standing.observed_at is None else standing.observed_at
    # A member's clock may step back: the interval is then empty, and the usage stands all the same.
    return Book(min(start_at, end_at), end_at, totals, late, late_differences, posted)


def _more(new: Quantities, old: Quantities) -> Quantities:
    return {key: quantity - old.get(key, 0) for key, quantity in new.items() if quantity > old.get(key, 0)}


def _checked(reading: Reading) -> tuple[Quantities, Quantities] | Conflict:
    """Totals and late time, or why the ledger can't take them: what a member reports is input, not truth."""
    try:
        instant(reading.observed_at)
    except ValueError as error:
        return Conflict("Malformed", truncated(f"observedAt: {error}"))
    if reading.sequence > LARGEST:
        return Conflict("TooLarge", f"sequence {truncated(str(reading.sequence), 64)} is beyond 64 bits")
    parts = []
    for quantities in (reading.total, reading.late):
        part = _by_meter(reading, quantities)
        if isinstance(part, Conflict):
            return part
        parts.append(part)
    totals, late = parts
    if any(totals.get(key, 0) + quantity > LARGEST for key, quantity in late.items()):
        return Conflict("TooLarge", "total and late time together are beyond 64 bits")
    return totals, late


def _by_meter(reading: Reading, quantities: Sequence[MeterQuantity]) -> Quantities | Conflict:
    found: dict[tuple[Meter, str], int] = {}
    for each in quantities:
        problem = _problem(each)
        if problem:
            return problem
        key = (each.meter, each.model)
        if key in found:
            return Conflict("Malformed", f"{_label(key)} stands twice in reading {reading.sequence}")
        found[key] = each.quantity
    return {key: quantity for key, quantity in found.items() if quantity}


def _problem(each: MeterQuantity) -> Conflict | None:
    if not each.model.isprintable():
        return Conflict("Malformed", f"the model {each.model!r} of {each.meter} has characters that can't be printed")
    if each.quantity > LARGEST:
        return Conflict("TooLarge", f"{_label((each.meter, each.model))} is beyond 64 bits")
    return None


def _first_above(left: Quantities, right: Quantities) -> str:
    """The first meter of which `left` has more than `right`, in words; empty where there is none."""
    return next((_label(key) for key in sorted(left) if left[key] > right.get(key, 0)), "")


def _label(key: tuple[str, str]) -> str:
    meter, model = key
    return f"{meter} of {model}" if model else meter


def _started(text: str | None, observed_at: int) -> int:
    """Where the first interval begins; a start that is unknown or no instant leaves the interval empty."""
    try:
        return to_microseconds(instant(text)) if text else observed_at
    except ValueError:
        return observed_at
