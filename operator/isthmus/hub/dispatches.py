"""All Dispatches of the hub, as its API last showed them, found by node and by job."""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import node_of_namespace
from isthmus.clusters import DISPATCHES, ClusterError, Informer, KubernetesApi, identity_of

from .kept import Kept

OnConnection = Callable[[ClusterError | None], None]
OnDispatch = Callable[[str, Dispatch, bool], None]


class NodeDispatches:
    """The Dispatches of one node: thousands that have ended and wait for their job's deletion, and a few that live."""

    def __init__(self) -> None:
        self.highest_sequence = 0
        """The highest sequence that any of them, gone ones too, has had."""
        self._by_name: dict[str, Dispatch] = {}
        self._live: dict[str, Dispatch] = {}

    def get(self, name: str) -> Dispatch | None:
        """The Dispatch of that name."""
        return self._by_name.get(name)

    def all(self) -> Iterable[Dispatch]:
        """Every Dispatch of the node."""
        return self._by_name.values()

    def live(self) -> Collection[Dispatch]:
        """Those that have not ended."""
        return self._live.values()

    def put(self, dispatch: Dispatch) -> bool:
        """Take in a form of a Dispatch, unless a newer one is known."""
        name = dispatch.metadata["name"]
        known = self._by_name.get(name)
        if known is not None and version(known) > version(dispatch):
            return False
        self._by_name[name] = dispatch
        self.highest_sequence = max(self.highest_sequence, dispatch.spec.sequence)
        if dispatch.status.state in TERMINAL:
            self._live.pop(name, None)
        else:
            self._live[name] = dispatch
        return True

    def drop(self, name: str) -> None:
        """The Dispatch is gone."""
        self._by_name.pop(name, None)
        self._live.pop(name, None)


def version(dispatch: Dispatch) -> int:
    """The resource version as a number; API servers since 1.35 promise that it can be compared so."""
    return int(dispatch.metadata["resourceVersion"])


class DispatchStore:
    """One watch for all nodes. `on_change(node, dispatch, gone)` follows each change."""

    def __init__(self, hub: KubernetesApi, on_change: OnDispatch, on_connection: OnConnection | None = None) -> None:
        self._on_change = on_change
        self._nodes: dict[str, NodeDispatches] = {}
        self._jobs: dict[str, dict[tuple[str, str], Dispatch]] = {}
        self._informer: Informer[Any] = Informer(
            hub,
            DISPATCHES,
            type=dict,
            transform=partial(Kept.of, self._seen),
            on_change=self._changed,
            on_connection=on_connection,
            longest_pause_seconds=5.0,
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._informer.run()

    async def wait_synced(self) -> None:
        """Until the first list is in."""
        await self._informer.wait_synced()

    def node(self, node: str) -> NodeDispatches:
        """The Dispatches of a node; one object for as long as the hub runs."""
        return self._nodes.setdefault(node, NodeDispatches())

    def of_job(self, uid: str) -> tuple[tuple[str, Dispatch], ...]:
        """(node, Dispatch) of a job, first attempt first, and of each attempt shard by shard."""
        found = [(node, dispatch) for (node, _), dispatch in self._jobs.get(uid, {}).items()]
        return tuple(sorted(found, key=lambda pair: (pair[1].spec.attempt, pair[1].spec.shard, pair[0])))

    def job_uids(self) -> list[str]:
        """Jobs that have Dispatches."""
        return list(self._jobs)

    def put(self, node: str, dispatch: Dispatch) -> None:
        """Take in the answer to a write, which the watch will show as well."""
        if self.node(node).put(dispatch):
            self._jobs.setdefault(dispatch.spec.job.uid, {})[node, dispatch.metadata["name"]] = dispatch

    def _seen(self, obj: Manifest) -> None:
        """Take in what the watch shows, before the change is told. ValidationError where it is no Dispatch."""
        node = node_of_namespace(obj["metadata"]["namespace"])
        if node is not None and self._known(node, obj) is None:
            self.put(node, Dispatch.model_validate(obj))

    def _changed(self, kind: str, _old: Kept | None, last: Any) -> None:  # noqa: ANN401 - as kept, or as it was seen last
        namespace, name, _, uid = identity_of(last)
        node = node_of_namespace(namespace)
        dispatch = self.node(node).get(name) if node is not None else None
        if node is None or dispatch is None or dispatch.metadata["uid"] != uid:
            return
        if kind == "DELETED":
            self._drop(node, dispatch)
        self._on_change(node, dispatch, kind == "DELETED")

    def _known(self, node: str, obj: Manifest) -> Dispatch | None:
        """The form that the watch shows, where it was taken in already as the answer to a write of our own."""
        metadata = obj["metadata"]
        known = self.node(node).get(metadata["name"])
        if known is None or known.metadata["uid"] != metadata["uid"]:
            return None
        return known if known.metadata["resourceVersion"] == metadata["resourceVersion"] else None

    def _drop(self, node: str, dispatch: Dispatch) -> None:
        name, uid = dispatch.metadata["name"], dispatch.spec.job.uid
        self.node(node).drop(name)
        mine = self._jobs.get(uid, {})
        mine.pop((node, name), None)
        if not mine:
            self._jobs.pop(uid, None)
