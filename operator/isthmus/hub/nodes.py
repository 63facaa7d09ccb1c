"""All ComputeNodes: their sessions, their status, and what becomes of one that is removed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from isthmus.agent import Clocks
from isthmus.agent.due import spread
from isthmus.api.computenode import ComputeNode
from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import ANNOTATION_FORGET, node_namespace
from isthmus.api.reference import reference
from isthmus.capacity import Profile, to_status
from isthmus.clusters import (
    COMPUTENODES,
    DISPATCHES,
    NAMESPACES,
    Client,
    Invalid,
    KubernetesApi,
    NotFound,
    Traffic,
    WorkQueue,
)
from isthmus.placement.stated import Stated
from isthmus.settlement.tariff import tariff_state

from .events import EventWriter
from .fleet import Fleet
from .fleetnode import FleetNode
from .jobstatus import merge_patch
from .nodestatus import Problem, figures_verdict, node_status
from .session import NodeSession, Surroundings
from .unreadnode import unread_status, words_of

logger = structlog.get_logger(__name__)

# A profile is published on change, at most this often; placement reads the live figures and does not wait for it.
PUBLISH_SECONDS = 2.0
REPUBLISH_SECONDS = 60.0
REMOVAL_SECONDS = 60.0
LONGEST_PRICE_WAIT_SECONDS = 3600.0


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
        self._events = events
        self._currency = currency
        self._clocks = clocks
        self._on_room = on_room
        self._on_reachability = on_reachability
        self._shared: Surroundings | None = None
        self._sessions: dict[str, tuple[NodeSession, asyncio.Task[None]]] = {}
        self._unread: dict[str, tuple[Manifest, str]] = {}
        """Nodes that can't be read, with why."""
        self._published: dict[str, float] = {}
        self._problems: dict[str, Problem | None] = {}
        self._words: dict[str, str | None] = {}
        self._drained: dict[str, bool] = {}
        self.queue: WorkQueue[str] = WorkQueue(
            self._write_status, name="nodes", workers=16, retry_limit_seconds=5.0, about=_about
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
            if stored is not None:  # a former process published it; a hundred nodes' are not due at once
                self._published[name] = self._clocks.monotonic() - spread(name, REPUBLISH_SECONDS)
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
        since = self._clocks.monotonic() - self._published.get(name, float("-inf"))
        self.queue.add(name, max(PUBLISH_SECONDS - since, 0.05))

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
        """Why the cluster can't be this node's member: it is the hub, another node's, or not the one it was.

        Of two nodes for one cluster the one that came first keeps it, and after a restart of the hub the older one.
        """
        known = self._fleet.get(name)
        if known is None or self._shared is None:
            return None
        local = known.node.spec.access.local is not None
        if cluster_uid == self._shared.hub_uid and not local:
            return (
                "PointsAtHub",
                "the kubeconfig leads to the hub itself; use access.local to lend the hub's own machines",
            )
        if self._shared.dispatches.node(name).clusters() - {cluster_uid}:
            message = "the kubeconfig leads to another cluster than the one where shards of this node stand"
            return "MemberChanged", f"{message}; give back the former one, or make a new ComputeNode for this one"
        for other in self._fleet.all():
            if other is known:
                continue
            mate = other.node.metadata["name"]
            if cluster_uid == (other.facts.cluster_uid or (_older(other, known) and other.claimed())):
                return "DuplicateMember", f"ComputeNode {mate} is this cluster already; delete one of the two"
            if _older(other, known) and other.node.spec.identity.code == known.node.spec.identity.code:
                return "DuplicateIdentity", f"ComputeNode {mate} has the same spec.identity.code; codes are unique"
        return None

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

    async def _write_status(self, name: str) -> float | None:
        known = self._fleet.get(name)
        if name in self._unread:
            await self._tell_unread(name, *self._unread[name])
            return None
        if known is None:
            await self._forget_namespace(name)
            return None
        now = self._clocks.now()
        tariff = tariff_state(known.node.spec.tariff, now, self._currency)
        profile = to_status(known.profile) if known.profile and self._publish_due(known) else None
        before = known.node  # the watch may show our own write before its answer is here
        old = before.status
        says = known.stated(now, self._currency)
        change = min(_change(known, says, now), self._fleet.offer_changes_in(name) + 0.1)
        self._heed_drain(name)
        new = node_status(
            known.node,
            known.facts,
            tariff=tariff,
            profile=profile,
            jobs=self._fleet.live(name),
            now=now,
            figures=figures_verdict(known.node.spec, says),
            closed=self._fleet.closed(name),
        )
        patch = merge_patch(old.to_manifest(), new.to_manifest())
        if set(patch) == {"profile"} and set(patch["profile"]) == {"observedAt"}:
            since = self._clocks.monotonic() - self._published.get(name, float("-inf"))
            if since < REPUBLISH_SECONDS:
                return min(change, REPUBLISH_SECONDS - since)
        if patch:
            try:
                answer = await self._hub.patch(COMPUTENODES, name, None, {"status": patch}, subresource="status")
            except NotFound:
                return None
            if profile is not None:
                self._published[name] = self._clocks.monotonic()
            self._events.of_node(before, new)
            self._fleet.learn(ComputeNode.model_validate(answer))
            if "conditions" in patch:
                self._on_room()
                if _word(before.metadata) is not None:  # whether that holds hangs on what the node was found to be
                    self._on_reachability(name)
            logger.debug("node status written", **reference("ComputeNode", before.metadata), fields=sorted(patch))
        return min(change, REPUBLISH_SECONDS)

    def _heed_drain(self, name: str) -> None:
        """Have work looked at that is to be moved away from now on, or no longer: the time alone may decide that."""
        leaves = self._fleet.drained(name)
        if self._drained.get(name, False) != leaves:
            self._drained[name] = leaves
            self._on_reachability(name)

    async def _tell_unread(self, name: str, body: Manifest, message: str) -> None:
        status = unread_status(body, message, self._clocks.now())
        if status is None:
            return
        try:
            await self._hub.patch(COMPUTENODES, name, None, {"status": status}, subresource="status")
        except NotFound:
            return
        except Invalid as error:  # what is wrong with it keeps its status from being written, too
            logger.warning(
                "a node's status can't be written", **reference("ComputeNode", body["metadata"]), error=str(error)
            )

    async def _forget_namespace(self, name: str) -> None:
        """The namespace of a node that was removed goes with its last Dispatch."""
        if self._shared is not None and self._fleet.removed(name) and self._shared.dispatches.node(name).empty():
            await self._hub.delete(NAMESPACES, node_namespace(name), propagation="Background")

    def _publish_due(self, known: FleetNode) -> bool:
        name = known.node.metadata["name"]
        return self._clocks.monotonic() - self._published.get(name, float("-inf")) >= PUBLISH_SECONDS


def _about(name: str) -> dict[str, str]:
    return reference("ComputeNode", {"name": name})


def _word(metadata: Manifest) -> str | None:
    """What the operator says of work that the node was sent before."""
    return (metadata.get("annotations") or {}).get(ANNOTATION_FORGET)


def _older(other: FleetNode, known: FleetNode) -> bool:
    left, right = other.node.metadata, known.node.metadata
    return (left["creationTimestamp"], left["name"]) < (right["creationTimestamp"], right["name"])


def _change(known: FleetNode, says: Stated, now: datetime) -> float:
    """Seconds until the tariff, or a figure of energy or network, comes into force or ends, at most an hour."""
    tariff = known.node.spec.tariff
    waits = [LONGEST_PRICE_WAIT_SECONDS]
    if says.until is not None:
        waits.append((says.until - now).total_seconds() + 0.1)
    for text in (tariff.valid_from, tariff.valid_until) if tariff else ():
        if text:
            wait = (datetime.fromisoformat(text).astimezone(UTC) - now).total_seconds()
            if wait > 0:
                waits.append(wait + 0.1)
    return min(waits)
