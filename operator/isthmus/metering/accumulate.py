"""Pods to cumulative readings: counted once each, whatever crashes between a status write and a finalizer's removal.

total = settled + live. A terminal pod that we hold by our finalizer is moved into `settled`, its UID into `settling`;
only after that reading is written is the finalizer removed, and only when it is seen to be gone does the UID leave
`settling`. So at any moment a pod is counted in one way: its UID is in `settling` (settled); else it is held or still
runs (live); else it was settled before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from isthmus.api.dispatch import Reading

from .meters import Meters

SETTLING_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class PodUse:
    """A pod of the shard and what it has used up to now.

    `ended`: terminal, `meters` are final. `held`: it carries our finalizer. `estimated`: its end was not seen.
    """

    uid: str
    meters: Meters
    ended: bool
    held: bool
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """The next reading and what to do with it.

    If `changed`, write `reading` first. When it stands, remove our finalizer from the pods of `release`, and take
    `live` as the next call's `last_known`; where it does not, keep the old `last_known` and add `live` to it. A write
    whose outcome is unknown is settled by reading the status.
    """

    reading: Reading
    changed: bool
    release: tuple[str, ...]
    live: Mapping[str, PodUse]


def advance(
    previous: Reading | None,
    pods: Iterable[PodUse],
    *,
    now: datetime,
    final: bool = False,
    last_known: Mapping[str, PodUse] | None = None,
) -> Advance:
    """The reading that follows `previous`, the one that stands in the Dispatch's status.

    `pods` are all pods of the shard, at least as new as `previous`: after a status that another process wrote was
    read, list them anew, and consistently (not from the API server's cache).

    `last_known` are the live pods of this process' own last call. Where `previous` is not the reading that this
    process wrote last, or started from, it must be empty. A pod of it that is gone, or that ended and was let go by
    somebody else, is settled with what is known of it: as an estimate, where nobody saw its end.

    Totals never fall. At most 1,024 pods are being settled at once; the others count as live until their turn comes.
    """
    before = _Standing.of(previous)
    there = {pod.uid: pod for pod in pods}
    settling = [uid for uid in before.settling if uid in there and there[uid].held]
    unsettled = {uid: pod for uid, pod in there.items() if uid not in before.settling and (pod.held or not pod.ended)}
    lost = [
        _last_of(uid, known, there)
        for uid, known in (last_known or {}).items()
        if uid not in unsettled and uid not in before.settling
    ]
    waiting = sorted(uid for uid, pod in unsettled.items() if pod.ended)
    batch = [unsettled.pop(uid) for uid in waiting[: SETTLING_LIMIT - len(settling)]]
    settling += [pod.uid for pod in batch]
    settled = Meters.total((before.settled, *(pod.meters for pod in (*lost, *batch))))
    total = Meters.total((settled, *(pod.meters for pod in unsettled.values())))
    told = tuple(before.total)
    standing = _Standing(
        final=before.final or final,
        estimated=before.estimated or any(pod.estimated for pod in (*lost, *batch)),
        total=before.total.maximum(total.bounded(told)),
        settled=settled.bounded(told),
        settling=dict.fromkeys(sorted(settling)),
    )
    changed = standing != before
    return Advance(
        reading=previous if previous is not None and not changed else standing.reading(previous, now),
        changed=changed,
        release=tuple(standing.settling),
        live=unsettled,
    )


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a reading says but for when and in which order."""

    final: bool
    estimated: bool
    total: Meters
    settled: Meters
    settling: Mapping[str, None]

    @classmethod
    def of(cls, reading: Reading | None) -> "_Standing":
        if reading is None:
            return cls(final=False, estimated=False, total=Meters(), settled=Meters(), settling={})
        return cls(
            final=reading.final,
            estimated=reading.estimated,
            total=Meters.from_quantities(reading.total),
            settled=Meters.from_quantities(reading.settled),
            settling=dict.fromkeys(reading.settling),
        )

    def reading(self, previous: Reading | None, now: datetime) -> Reading:
        return Reading(
            sequence=1 if previous is None else previous.sequence + 1,
            observed_at=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            final=self.final,
            estimated=self.estimated,
            total=self.total.quantities(),
            settled=self.settled.quantities(),
            settling=list(self.settling),
        )


def _last_of(uid: str, known: PodUse, there: Mapping[str, PodUse]) -> PodUse:
    """The best that is known of a pod that is gone, or ended and was let go, before it was settled."""
    if uid in there:
        return there[uid]
    return PodUse(uid, known.meters, ended=True, held=False, estimated=known.estimated or not known.ended)
