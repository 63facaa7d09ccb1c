"""Jobs as the hub and its members hold them, made by the thousand after a few that really ran.

Their objects are put straight into the stores of the API servers, as a backup is restored: through the API servers
it would take eight writes a job in the hub and twenty in its member, half an hour that nobody measures. From then on
they are objects like any others, listed, watched, seen by the members' controllers and carried on by their kubelets.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from federation.manifests import Object
from isthmus.api.computenode import Identity, Tariff
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_CLUSTER, dispatch_name, node_of_namespace
from isthmus.ledger import Ledger, ReadingBooked
from start.pattern import Footprint
from start.stage import MACHINES
from testbed import Cluster

# A ledger's transaction holds so many; the hub's own are as large.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A ComputeNode as the hub shows it, the cluster that stands for its member, and a job there to make others by."""

    node: Object
    member: Cluster
    pattern: Footprint

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])


class Kept:
    """Makes jobs. The hub must not run meanwhile. `sequences` are the nodes' highest so far, by name."""

    def __init__(self, hub: Cluster, ledger: str, sequences: Mapping[str, int]) -> None:
        self._hub = hub
        self._ledger = ledger
        self._sequences = dict(sequences)

    def make(self, prefix: str, count: int, places: Sequence[Place]) -> None:
        """Make `count` jobs, shared out over the places. RuntimeError, LedgerError."""
        with Ledger.open(self._ledger) as ledger:
            digests = {place.name: _recorded(place, ledger) for place in places}
            for begin in range(0, count, BATCH):
                numbers = range(begin, min(begin + BATCH, count))
                batch = list(self._planned(prefix, numbers, places, digests))
                self._hub.restore(entry for _, job in batch for entry in job.in_hub())
                for member in {place.member.name: place.member for place in places}.values():
                    member.restore(e for place, job in batch if place.member is member for e in job.in_member())
                results = ledger.book([_booked(place, job) for place, job in batch])
                wrong = [result for result in results if result.outcome != "Booked"]
                if wrong:
                    raise RuntimeError(f"{len(wrong)} readings were not booked: {wrong[0]}")

    def _planned(
        self, prefix: str, numbers: range, places: Sequence[Place], digests: Mapping[str, str]
    ) -> Iterator[tuple[Place, Footprint]]:
        for number in numbers:
            place = places[number % len(places)]
            job = place.pattern.reworded(_words(place, f"{prefix}-{number:05}", digests[place.name]))
            self._sequences[place.name] = self._sequences.get(place.name, 0) + 1
            job.dispatch["spec"]["sequence"] = self._sequences[place.name]
            job.pod["spec"]["nodeName"] = place.member.spec.machines[number // len(places) % MACHINES].name
            yield place, job


def _words(place: Place, name: str, digest: str) -> dict[str, str]:
    """What another job has in place of the pattern's words."""
    job, dispatch = place.pattern.job["metadata"], place.pattern.dispatch
    uid, before = str(uuid.uuid4()), node_of_namespace(dispatch["metadata"]["namespace"])
    if before is None:
        raise ValueError("the pattern's Dispatch stands in no node's namespace")
    words = {
        job["uid"]: uid,
        job["name"]: name,
        dispatch["metadata"]["name"]: dispatch_name(name, uid, 0, 1),
        dispatch["spec"]["tariff"]["digest"]: digest,
        dispatch["metadata"]["annotations"][ANNOTATION_CLUSTER]: place.node["status"]["clusterUid"],
        place.name: before,
        before: place.name,
    }
    for obj in (dispatch, place.pattern.member_job, place.pattern.pod):
        words[obj["metadata"]["uid"]] = str(uuid.uuid4())
    return words


def _recorded(place: Place, ledger: Ledger) -> str:
    spec = place.node["spec"]
    tariff, identity = Tariff.model_validate(spec["tariff"]), Identity.model_validate(spec["identity"])
    return ledger.record_tariff(tariff, place.name, identity)


def _booked(place: Place, job: Footprint) -> ReadingBooked:
    dispatch = Dispatch.model_validate(job.dispatch)
    reading = dispatch.status.reading
    if reading is None or dispatch.spec.tariff is None:
        raise ValueError("the pattern's Dispatch has no reading, or no tariff")
    return ReadingBooked(
        dispatch_uid=dispatch.metadata["uid"],
        job=dispatch.spec.job,
        account=dispatch.spec.account,
        node=place.name,
        attempt=dispatch.spec.attempt,
        tariff_digest=dispatch.spec.tariff.digest,
        reading=reading,
        started_at=dispatch.status.start_time,
    )
