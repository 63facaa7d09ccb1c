"""Finished jobs as the hub leaves them, made by the hundred from one that it really ran to its end.

In the hub everything of them is written here: ComputeJob, Dispatch, and the reading in the ledger. A finished Job stays
in its member until the ComputeJob goes, or somebody there deletes it: so of some the Job really runs there once more,
with its one pod. Not of all, as the members would take most of an hour for it.
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from federation.manifests import Object
from isthmus.api.computenode import Identity, Tariff
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_CLUSTER, FINALIZER_POD, dispatch_name, node_namespace
from isthmus.clusters import COMPUTEJOBS, DISPATCHES, JOBS, Client, Conflict
from isthmus.ledger import Ledger, ReadingBooked

CONCURRENCY = 48
QUOTA_PAUSE_SECONDS = 0.5
# A ledger's transaction holds so many; the hub's own are as large.
BATCH = 500
_OF_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A job that ended, its Dispatch, and the ComputeNodes by name: as the hub's API shows them."""

    job: Object
    dispatch: Object
    nodes: Sequence[Object]


@dataclass(frozen=True, slots=True)
class _Slot:
    """One job to be: its name, its node and that one's cluster, its Dispatch's sequence there, the tariff's digest."""

    name: str
    node: str
    cluster: str
    sequence: int
    digest: str


class Kept:
    """Writes finished jobs, Dispatches and readings. The hub must not run meanwhile.

    `member_of` gives a client of the API server that stands for a ComputeNode.
    """

    def __init__(self, hub: Client, member_of: Callable[[str], Client], ledger: str, pattern: Pattern) -> None:
        self._hub = hub
        self._member_of = member_of
        self._ledger = ledger
        self._pattern = pattern
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def make(self, prefix: str, count: int, in_members: int) -> None:
        """Make `count` jobs, shared out over all nodes, `in_members` of them there too. ClusterError, LedgerError."""
        with Ledger.open(self._ledger) as ledger:
            slots = list(enumerate(self._planned(prefix, count, ledger, await self._sequences())))
            for begin in range(0, count, BATCH):
                batch = slots[begin : begin + BATCH]
                made = await asyncio.gather(*(self._one(slot, again=number < in_members) for number, slot in batch))
                results = ledger.book([_booked(dispatch, slot) for slot, dispatch in made])
                wrong = [result for result in results if result.outcome != "Booked"]
                if wrong:
                    raise RuntimeError(f"{len(wrong)} readings were not booked: {wrong[0]}")

    async def _run_again(self, node: str, dispatch: Object) -> None:
        """Have the member run the Job, with pods that nobody has to let go: the hub's process is not there."""
        manifest = dispatch["spec"]["manifest"]
        pods = manifest["spec"]["template"]
        rest = [f for f in pods["metadata"].get("finalizers", []) if f != FINALIZER_POD]
        template = {**pods, "metadata": {**pods["metadata"], "finalizers": rest}}
        spec = {**manifest["spec"], "template": template}
        job, namespace = {**manifest, "spec": spec}, manifest["metadata"]["namespace"]
        while True:
            try:
                await self._member_of(node).create(JOBS, job, namespace)
            except Conflict:  # so many creates at once race for the namespace's quota
                await asyncio.sleep(QUOTA_PAUSE_SECONDS)
            else:
                return

    async def _sequences(self) -> dict[str, int]:
        """The highest sequence of each node so far."""
        highest = {node["metadata"]["name"]: 0 for node in self._pattern.nodes}
        for dispatch in (await self._hub.list(DISPATCHES)).items:
            name = dispatch["metadata"]["namespace"].removeprefix(node_namespace(""))
            highest[name] = max(highest[name], dispatch["spec"]["sequence"])
        return highest

    def _planned(self, prefix: str, count: int, ledger: Ledger, sequences: dict[str, int]) -> Iterator[_Slot]:
        digests = {}
        for node in self._pattern.nodes:
            spec, name = node["spec"], node["metadata"]["name"]
            tariff, identity = Tariff.model_validate(spec["tariff"]), Identity.model_validate(spec["identity"])
            digests[name] = ledger.record_tariff(tariff, name, identity)
        clusters = {node["metadata"]["name"]: node["status"]["clusterUid"] for node in self._pattern.nodes}
        names = list(digests)
        for number in range(count):
            node = names[number % len(names)]
            sequences[node] += 1
            yield _Slot(f"{prefix}-{number:05}", node, clusters[node], sequences[node], digests[node])

    async def _one(self, slot: _Slot, *, again: bool) -> tuple[_Slot, Dispatch]:
        async with self._slots:
            pattern = self._pattern
            old, told = pattern.job["metadata"], pattern.dispatch
            before = told["metadata"]["namespace"].removeprefix(node_namespace(""))
            bare = _reworded(pattern.job, {old["name"]: slot.name}, before, slot.node)
            created = await self._hub.create(COMPUTEJOBS, _fresh(bare), old["namespace"])
            uid = created["metadata"]["uid"]
            words = {
                old["uid"]: uid,
                told["metadata"]["name"]: dispatch_name(slot.name, uid, 0, 1),
                old["name"]: slot.name,
                told["spec"]["tariff"]["digest"]: slot.digest,
                told["status"]["jobUid"]: str(uuid.uuid4()),
                told["metadata"]["annotations"][ANNOTATION_CLUSTER]: slot.cluster,
            }
            job = _reworded(pattern.job, words, before, slot.node)
            await self._hub.patch(
                COMPUTEJOBS, slot.name, old["namespace"], {"status": job["status"]}, subresource="status"
            )
            dispatch = _reworded(told, words, before, slot.node)
            dispatch["spec"]["sequence"] = slot.sequence
            namespace = dispatch["metadata"]["namespace"]
            await self._hub.create(DISPATCHES, _fresh(dispatch), namespace)
            if again:
                await self._run_again(slot.node, dispatch)
            answer = await self._hub.patch(
                DISPATCHES,
                dispatch["metadata"]["name"],
                namespace,
                {"status": dispatch["status"]},
                subresource="status",
            )
        return slot, Dispatch.model_validate(answer)


def _fresh(obj: Object) -> Object:
    """The object as it is handed to a create."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _OF_THE_SERVER}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def _reworded(obj: Object, words: dict[str, str], node: str, other: str) -> Any:
    """The object with other names, wherever they stand; the explanation's two nodes change places."""
    text = json.dumps(obj)
    for word, new in words.items():
        text = text.replace(word, new)
    return json.loads(text.replace(other, "\0").replace(node, other).replace("\0", node))


def _booked(dispatch: Dispatch, slot: _Slot) -> ReadingBooked:
    reading = dispatch.status.reading
    if reading is None:
        raise ValueError("the pattern's Dispatch has no reading")
    return ReadingBooked(
        dispatch_uid=dispatch.metadata["uid"],
        job=dispatch.spec.job,
        account=dispatch.spec.account,
        node=slot.node,
        attempt=dispatch.spec.attempt,
        tariff_digest=slot.digest,
        reading=reading,
        started_at=dispatch.status.start_time,
    )
