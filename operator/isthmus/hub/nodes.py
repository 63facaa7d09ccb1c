"""All ComputeNodes: their sessions, their status, and what becomes of one that is removed."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from pydantic import ValidationError

from isthmus.agent import Clocks
from isthmus.api.computenode import ComputeNode
from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import ANNOTATION_FORGET, node_namespace
from isthmus.api.reference import reference
from isthmus.capacity import Profile
from isthmus.clusters import (
    DISPATCHES,
    NAMESPACES,
    Client,
    KubernetesApi,
    Traffic,
    WorkQueue,
)

from .events import EventWriter
from .fleet import Fleet
from .misfit import misfit
from .nodestatus import Problem
from .nodestatuswriter import PUBLISH_SECONDS, NodeStatusWriter
from .session import NodeSession, Surroundings
from .unreadnode import words_of

logger = structlog.get_logger(__name__)

REMOVAL_SECONDS = 60.0


class Nodes:
    """Keeps a session for each node. `on_room()` is called when a node may take more than before."""

    def __init__(
        self,
        hub: KubernetesApi,
        fleet: Fleet,
        events: EventWriter,
        *,
        currency: str,
        clocks: Clocks,
        on_room: Callable[[], None],
        on_reachability: Callable[[str], None],
    ) -> None:
        self._hub = hub
        self._fleet = fleet
        self._clocks = clocks
        self._on_room = on_room
        self._on_reachability = on_reachability
        self._shared: Surroundings | None = None
        self._sessions: dict[str, tuple[NodeSession, asyncio.Task[None]]] = {}
        self._unread: dict[str, tuple[Manifest, str]] = {}
        """Nodes that can't be read, with why."""
        self._statuses = NodeStatusWriter(
            hub, fleet, events, currency=currency, clocks=clocks, on_conditions=self._conditions_changed
        )
        self._problems: dict[str, Problem | None] = {}
        self._words: dict[str, str | None] = {}
        self._drained: dict[str, bool] = {}
        self.queue: WorkQueue[str] = WorkQueue(
            self._reconcile, name="nodes", workers=16, retry_limit_seconds=5.0, about=_about
        )

    def begin(self, shared: Surroundings) -> None:
        """From now on sessions may be opened."""
        self._shared = shared

    def apply(self, body: Manifest) -> None:
        """Take in a node as declared; open its session, or have it connect anew where its access changed."""
        if self._shared is None:
            raise RuntimeError("nodes are applied only after begin()")
        name = body["metadata"]["name"]
        before = self._fleet.get(name)
        try:
            node = ComputeNode.model_validate(body)
        except ValidationError as error:
            if before is not None:  # it goes on as it was
                raise
            logger.warning("a node can't be read", **reference("ComputeNode", body["metadata"]), error=words_of(error))
            self._unread[name] = (body, words_of(error))
            self._fleet.unreadable(name)
            self.queue.add(name)
            self._on_room()
            return
        self._unread.pop(name, None)
        same_access = before is not None and before.node.spec.access == node.spec.access
        same_state = before is not None and before.node.spec.scheduling_state == node.spec.scheduling_state
        known = self._fleet.put(node)
        if name not in self._sessions:
            stored = node.status.profile
            if stored is not None:
                self._statuses.published_before(name)
            session = NodeSession(node, known.facts, self._shared, stored.sequence if stored else 0)
            self._sessions[name] = (session, asyncio.create_task(session.run(), name=f"node/{name}"))
        else:
            session = self._sessions[name][0]
            session.node = node
            if not same_access:
                session.restart()
        if not same_state:
            self._on_reachability(name)
        self._heed(node)
        self.changed(name)

    def observed(self, body: Manifest) -> None:
        """A watch showed a node that is declared already; its annotations may have changed."""
        name = body["metadata"]["name"]
        if name in self._sessions and self._words.get(name) != _word(body["metadata"]):
            node = ComputeNode.model_validate(body)
            self._fleet.learn(node)
            self._heed(node)
            self.changed(name)

    def _heed(self, node: ComputeNode) -> None:
        """Have work that waits for the operator's word looked at when that has changed."""
        name, word = node.metadata["name"], _word(node.metadata)
        if self._words.get(name) != word:
            self._words[name] = word
            self._on_reachability(name)

    def changed(self, name: str) -> None:
        """Something about the node changed: tell it in its status, and let waiting work look again."""
        self.queue.add(name)
        known = self._fleet.get(name)
        problem = known.facts.problem if known else None
        if self._problems.get(name) != problem:
            self._problems[name] = problem
            self._on_reachability(name)
        self._on_room()

    def profiled(self, name: str, profile: Profile) -> None:
        """New figures of a node."""
        if self._fleet.observed(name, profile):
            self.changed(name)
        self._on_room()
        self.queue.add(name, max(self._statuses.due_in(name), 0.05))

    def dispatch_changed(self, node: str, dispatch: Dispatch, *, gone: bool) -> None:
        """A Dispatch of the node changed."""
        entry = self._sessions.get(node)
        if entry is not None and entry[0].agent is not None:
            entry[0].agent.dispatch_changed(dispatch.metadata["name"])
        if gone or dispatch.status.state in TERMINAL:
            self._fleet.forget(node, dispatch.spec.sequence)
            self._on_room()
        self.queue.add(node, PUBLISH_SECONDS)

    def member(self, name: str) -> Client | None:
        """The API of the node's member, where that is reached just now."""
        entry = self._sessions.get(name)
        known = self._fleet.get(name)
        reached = known is not None and known.facts.trouble is None
        return entry[0].member if entry is not None and reached else None

    def traffic(self) -> dict[str, Traffic]:
        """What each node's member was asked."""
        return {name: session.traffic for name, (session, _) in self._sessions.items()}

    def look(self, name: str) -> None:
        """Try the node's member now."""
        entry = self._sessions.get(name)
        if entry is not None:
            entry[0].look()

    def secret_changed(self, secret: str) -> None:
        """A Secret of the system namespace came, changed or went."""
        for session, _ in self._sessions.values():
            access = session.node.spec.access.kube_config
            if access is not None and access.secret_ref.name == secret:
                session.restart()

    def misfit(self, name: str, cluster_uid: str) -> Problem | None:
        """Why the cluster can't be this node's member."""
        known = self._fleet.get(name)
        if known is None or self._shared is None:
            return None
        clusters = self._shared.dispatches.node(name).clusters()
        return misfit(known, self._fleet.all(), cluster_uid, hub_uid=self._shared.hub_uid, clusters=clusters)

    async def remove(self, body: Manifest) -> str | None:
        """Take a node out; what is still in the way, or None when it is gone. A dead member is waited for a minute."""
        name = body["metadata"]["name"]
        if self._fleet.get(name) is None:  # asked for while no hub was there
            self.apply(body)
        known = self._fleet.get(name)
        if self._shared is None:
            return None
        waiting = await self._leave(name)
        asked = datetime.fromisoformat(body["metadata"]["deletionTimestamp"])
        overdue = (self._clocks.now() - asked).total_seconds() > REMOVAL_SECONDS
        if waiting and not (overdue and (known is None or self._fleet.unreachable([name]))):
            if known is not None and known.facts.deleting != waiting:
                known.facts.deleting = waiting
                self.changed(name)
            return waiting
        await self.close_session(name)
        self._fleet.drop(name)
        self._unread.pop(name, None)
        self._problems.pop(name, None)
        self._words.pop(name, None)
        self._drained.pop(name, None)
        self.queue.add(name)
        self._on_reachability(name)
        for session, _ in self._sessions.values():
            session.restart_if_misfit()
        return None

    async def _leave(self, name: str) -> str:
        """Have the agent clear away what shards that ended left in the member; what is still there, in words."""
        if self._shared is None:
            return ""
        live = self._fleet.live(name)
        if live:
            what = "1 shard stands" if live == 1 else f"{live} shards stand"
            return f"{what} on it; cancel or delete their jobs, or let them end"
        left = list(self._shared.dispatches.node(name).unreleased())
        for dispatch in left:
            if dispatch.spec.desired_state != "Cancelled":
                wish = {"spec": {"desiredState": "Cancelled"}}
                await self._hub.patch(DISPATCHES, dispatch.metadata["name"], node_namespace(name), wish)
        return f"what {len(left)} ended shards left in the member is being cleared away" if left else ""

    async def close_session(self, name: str) -> None:
        """Stop following a node."""
        entry = self._sessions.pop(name, None)
        if entry is not None:
            entry[1].cancel()
            await asyncio.gather(entry[1], return_exceptions=True)

    async def close(self) -> None:
        """Stop following all nodes."""
        await asyncio.gather(*(self.close_session(name) for name in list(self._sessions)))
        await self.queue.close()

    async def _reconcile(self, name: str) -> float | None:
        if name in self._unread:
            await self._statuses.write_unread(name, *self._unread[name])
            return None
        known = self._fleet.get(name)
        if known is None:
            await self._forget_namespace(name)
            return None
        self._heed_drain(name)
        return await self._statuses.write(known)

    def _conditions_changed(self, node: ComputeNode) -> None:
        self._on_room()
        if _word(node.metadata) is not None:  # whether that holds hangs on what the node was found to be
            self._on_reachability(node.metadata["name"])

    def _heed_drain(self, name: str) -> None:
        """Have work looked at that is to be moved away from now on, or no longer: the time alone may decide that."""
        leaves = self._fleet.drained(name)
        if self._drained.get(name, False) != leaves:
            self._drained[name] = leaves
            self._on_reachability(name)

    async def _forget_namespace(self, name: str) -> None:
        """The namespace of a node that was removed goes with its last Dispatch."""
        if self._shared is not None and self._fleet.removed(name) and self._shared.dispatches.node(name).empty():
            await self._hub.delete(NAMESPACES, node_namespace(name), propagation="Background")


def _about(name: str) -> dict[str, str]:
    return reference("ComputeNode", {"name": name})


def _word(metadata: Manifest) -> str | None:
    """What the operator says of work that the node was sent before."""
    return (metadata.get("annotations") or {}).get(ANNOTATION_FORGET)
