"""All Dispatches of the hub, as its API last showed them, found by node and by job."""

from collections.abc import Callable, Iterable
from typing import Any

import structlog
from pydantic import ValidationError

from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import node_of_namespace
from isthmus.clusters import DISPATCHES, ClusterError, Informer, KubernetesApi

logger = structlog.get_logger(__name__)

OnConnection = Callable[[ClusterError | None], None]
OnDispatch = Callable[[str, Dispatch, bool], None]


class NodeDispatches:
    """The Dispatches of one node."""

    def __init__(self) -> None:
        self._by_name: dict[str, Dispatch] = {}

    def get(self, name: str) -> Dispatch | None:
        """The Dispatch of that name."""
        return self._by_name.get(name)

    def all(self) -> Iterable[Dispatch]:
        """Every Dispatch of the node."""
        return self._by_name.values()

    def live(self) -> int:
        """How many have not ended."""
        return sum(1 for dispatch in self._by_name.values() if dispatch.status.state not in TERMINAL)

    def put(self, dispatch: Dispatch) -> bool:
        """Take in a form of a Dispatch, unless a newer one is known."""
        name = dispatch.metadata["name"]
        known = self._by_name.get(name)
        if known is not None and version(known) > version(dispatch):
            return False
        self._by_name[name] = dispatch
        return True

    def drop(self, name: str) -> None:
        """The Dispatch is gone."""
        self._by_name.pop(name, None)


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
            hub, DISPATCHES, type=dict, on_change=self._changed, on_connection=on_connection, longest_pause_seconds=5.0
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

    def _changed(self, kind: str, _old: Manifest | None, obj: Manifest) -> None:
        node = node_of_namespace(obj["metadata"]["namespace"])
        if node is None:
            return
        try:
            dispatch = Dispatch.model_validate(obj)
        except ValidationError as error:
            logger.warning("Dispatch can't be read", node=node, name=obj["metadata"]["name"], error=str(error))
            return
        if kind == "DELETED":
            self._drop(node, dispatch)
        else:
            self.put(node, dispatch)
        self._on_change(node, dispatch, kind == "DELETED")

    def _drop(self, node: str, dispatch: Dispatch) -> None:
        name, uid = dispatch.metadata["name"], dispatch.spec.job.uid
        self.node(node).drop(name)
        mine = self._jobs.get(uid, {})
        mine.pop((node, name), None)
        if not mine:
            self._jobs.pop(uid, None)
