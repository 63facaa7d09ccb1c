"""All Dispatches of the hub, as its API last showed them, found by node and by job."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import node_of_namespace
from isthmus.clusters import DISPATCHES, ClusterError, KubernetesApi, identity_of

from .holdings import Holdings
from .kept import Kept, keeping_informer
from .reliability import Record
from .stopping import Stopping
from .tombstone import Tombstone, cluster_of, rests

OnConnection = Callable[[ClusterError | None], None]
OnDispatch = Callable[[str, Dispatch, bool], None]


class NodeDispatches:
    """The Dispatches of one node: thousands that have ended and wait for their job's deletion, and a few that live."""

    def __init__(self) -> None:
        self.highest_sequence = 0
        """The highest sequence that any of them, gone ones too, has had."""
        self.stopping = Stopping()
        """What of them the member would stop by itself."""
        self.record = Record()
        """How those of the last days ended."""
        self.holdings = Holdings()
        """What of its machines they hold."""
        self._by_name: dict[str, Dispatch | Tombstone] = {}
        self._live: dict[str, Dispatch] = {}

    def get(self, name: str) -> Dispatch | None:
        """The Dispatch of that name."""
        known = self._by_name.get(name)
        return known.dispatch() if isinstance(known, Tombstone) else known

    def resting(self, name: str, *, with_job: bool) -> bool:
        """Whether it has ended, and its job too, so that it needs nothing done; `with_job`: the member has its Job.

        One that the member had let go of has none: a Job that turns up nonetheless is to be deleted.
        """
        known = self.tombstone(name)
        return known is not None and not (known.released and with_job)

    def tombstone(self, name: str) -> Tombstone | None:
        """What is known of one at rest without unpacking it."""
        known = self._by_name.get(name)
        return known if isinstance(known, Tombstone) else None

    def known(self, name: str) -> tuple[str, int] | None:
        """UID and version of the form of it that is known."""
        known = self._by_name.get(name)
        if known is None:
            return None
        return known.uid if isinstance(known, Tombstone) else known.metadata["uid"], version(known)

    def live_one(self, name: str) -> Dispatch | None:
        """The Dispatch of that name where it has not ended."""
        return self._live.get(name)

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._by_name

    def live(self) -> Collection[Dispatch]:
        """Those that have not ended."""
        return self._live.values()

    def awake(self) -> Iterable[Dispatch]:
        """Those that are not at rest: live ones, and of ended ones those that something may be due for."""
        return [known for known in self._by_name.values() if not isinstance(known, Tombstone)]

    def unreleased(self) -> Iterable[Dispatch]:
        """Those of which the member may hold something still; those at rest are unpacked for it."""
        for known in list(self._by_name.values()):
            if isinstance(known, Tombstone):
                if not known.released:
                    yield known.dispatch()
            elif not known.status.released:
                yield known

    def sequences(self) -> set[int]:
        """The sequences of all."""
        return {
            known.sequence if isinstance(known, Tombstone) else known.spec.sequence for known in self._by_name.values()
        }

    def clusters(self) -> set[str]:
        """UIDs of the clusters, where they are known, that may hold something of the node's Dispatches still."""
        found = {
            known.cluster if isinstance(known, Tombstone) else cluster_of(known) for known in self._by_name.values()
        }
        return found - {""}

    def put(self, dispatch: Dispatch) -> bool:
        """Take in a form of a Dispatch, unless a newer one is known."""
        name = dispatch.metadata["name"]
        known = self._by_name.get(name)
        if known is not None and version(known) > version(dispatch):
            return False
        dispatch.metadata.pop("managedFields", None)
        self._by_name[name] = dispatch
        self.stopping.put(dispatch)
        self.holdings.put(dispatch)
        self.highest_sequence = max(self.highest_sequence, dispatch.spec.sequence)
        if dispatch.status.state in TERMINAL:
            if known is None or name in self._live:
                self.record.ended(dispatch)
            self._live.pop(name, None)
        else:
            self._live[name] = dispatch
        return True

    def rest(self, name: str) -> None:
        """Pack the Dispatch, where nothing is due for it."""
        known = self._by_name.get(name)
        if isinstance(known, Dispatch) and rests(known):
            self._by_name[name] = Tombstone.of(known)

    def wake(self, name: str) -> Dispatch:
        """The Dispatch, which somebody looks into more often from now on. KeyError where there is none."""
        known = self._by_name[name]
        if isinstance(known, Tombstone):
            known = self._by_name[name] = known.dispatch()
        return known

    def drop(self, name: str) -> None:
        """The Dispatch is gone."""
        known = self._by_name.pop(name, None)
        self.holdings.drop(name)
        if isinstance(known, Dispatch) and known.status.state is None:  # nothing of it ever ran
            self.stopping.drop(name)
        else:
            self.stopping.gone(name)
        self._live.pop(name, None)


def version(known: Dispatch | Tombstone) -> int:
    """The resource version as a number; API servers since 1.35 promise that it can be compared so."""
    return known.version if isinstance(known, Tombstone) else int(known.metadata["resourceVersion"])


def _place(pair: tuple[str, Dispatch]) -> tuple[int, int, str]:
    node, dispatch = pair
    return dispatch.spec.attempt, dispatch.spec.shard, node


class DispatchStore:
    """One watch for all nodes. `on_change(node, dispatch, gone)` follows each change after the first list.

    `on_listed(node, dispatch)` is called for each of the first list, before it is put to rest.

    Of a job that has ended the Dispatches are put to rest: there are thousands, and they are hardly ever looked at.
    Those of the first list begin so, and wake where their job has not ended after all.
    """

    def __init__(
        self,
        hub: KubernetesApi,
        on_change: OnDispatch,
        on_connection: OnConnection | None = None,
        on_listed: Callable[[str, Dispatch], None] | None = None,
    ) -> None:
        self._on_change = on_change
        self._on_listed = on_listed
        self._nodes: dict[str, NodeDispatches] = {}
        self._jobs: dict[str, tuple[tuple[str, str], ...]] = {}
        self.informer = keeping_informer(
            hub, DISPATCHES, hand_on=self._seen, on_change=self._changed, on_connection=on_connection
        )

    def node(self, node: str) -> NodeDispatches:
        """The Dispatches of a node; one object for as long as the hub runs."""
        found = self._nodes.get(node)
        if found is None:
            found = self._nodes[node] = NodeDispatches()
        return found

    def of_job(self, uid: str) -> tuple[tuple[str, Dispatch], ...]:
        """(node, Dispatch) of a job, first attempt first, and of each attempt shard by shard."""
        found = [(node, self.node(node).wake(name)) for node, name in self._jobs.get(uid, ())]
        return tuple(sorted(found, key=_place))

    def read_of_job(self, uid: str) -> tuple[tuple[str, Dispatch], ...]:
        """As `of_job`, but those at rest stay so."""
        found = [(node, d) for node, name in self._jobs.get(uid, ()) if (d := self.node(node).get(name)) is not None]
        return tuple(sorted(found, key=_place))

    def live_of_job(self, uid: str) -> tuple[tuple[str, Dispatch], ...]:
        """Those of a job's that have not ended, as `of_job`; those at rest stay so."""
        live = [
            (node, d) for node, name in self._jobs.get(uid, ()) if (d := self.node(node).live_one(name)) is not None
        ]
        return tuple(sorted(live, key=_place))

    def places(self, uid: str) -> tuple[tuple[str, str], ...]:
        """(node, name) of a job's Dispatches, in no order."""
        return self._jobs.get(uid, ())

    def all_rest(self, uid: str) -> bool:
        """Whether all Dispatches of a job are at rest."""
        return all(self.node(node).tombstone(name) is not None for node, name in self._jobs.get(uid, ()))

    def rest(self, uid: str) -> None:
        """The job has ended: pack its Dispatches, where nothing is due for them."""
        for node, name in self._jobs.get(uid, ()):
            self.node(node).rest(name)

    def job_uids(self) -> list[str]:
        """Jobs that have Dispatches."""
        return list(self._jobs)

    def put(self, node: str, dispatch: Dispatch) -> None:
        """Take in the answer to a write, which the watch will show as well."""
        if self.node(node).put(dispatch):
            uid, place = dispatch.spec.job.uid, (node, dispatch.metadata["name"])
            mine = self._jobs.get(uid, ())
            if place not in mine:
                self._jobs[uid] = (*mine, place)

    def _seen(self, obj: Manifest) -> None:
        """Take in what the watch shows, before the change is told. ValidationError where it is no Dispatch."""
        node = node_of_namespace(obj["metadata"]["namespace"])
        if node is not None and not self._is_known(node, obj):
            dispatch = Dispatch.model_validate(obj)
            self.put(node, dispatch)
            if not self.informer.synced.is_set():
                if self._on_listed is not None:
                    self._on_listed(node, dispatch)
                self.node(node).rest(dispatch.metadata["name"])

    def _changed(self, kind: str, _old: Kept | None, last: Any) -> None:  # noqa: ANN401 - as kept, or as it was seen last
        if not self.informer.synced.is_set():
            return  # whoever waits for the first list looks at all of it
        namespace, name, _, uid = identity_of(last)
        node = node_of_namespace(namespace)
        dispatch = self.node(node).get(name) if node is not None else None
        if node is None or dispatch is None or dispatch.metadata["uid"] != uid:
            return
        if kind == "DELETED":
            self._drop(node, dispatch)
        self._on_change(node, dispatch, kind == "DELETED")

    def _is_known(self, node: str, obj: Manifest) -> bool:
        """Whether the form that the watch shows was taken in already, as the answer to a write of our own."""
        metadata = obj["metadata"]
        known = self.node(node).known(metadata["name"])
        return known == (metadata["uid"], int(metadata["resourceVersion"]))

    def _drop(self, node: str, dispatch: Dispatch) -> None:
        name, uid = dispatch.metadata["name"], dispatch.spec.job.uid
        self.node(node).drop(name)
        mine = tuple(place for place in self._jobs.get(uid, ()) if place != (node, name))
        if mine:
            self._jobs[uid] = mine
        else:
            self._jobs.pop(uid, None)
