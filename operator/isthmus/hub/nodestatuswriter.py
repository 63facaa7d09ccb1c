"""Writes the status of ComputeNodes: what changed at once, figures not too often and not too seldom."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from isthmus.agent import Clocks
from isthmus.agent.due import spread
from isthmus.api.computenode import ComputeNode
from isthmus.api.core import Manifest
from isthmus.api.reference import reference
from isthmus.capacity import to_status
from isthmus.clusters import COMPUTENODES, Invalid, KubernetesApi, NotFound
from isthmus.placement.stated import Stated
from isthmus.settlement.tariff import tariff_state

from .events import EventWriter
from .fleet import Fleet
from .fleetnode import FleetNode
from .jobstatus import merge_patch
from .nodestatus import figures_verdict, node_status
from .unreadnode import unread_status

logger = structlog.get_logger(__name__)

# A profile is published on change, at most this often; placement reads the live figures and does not wait for it.
PUBLISH_SECONDS = 2.0
REPUBLISH_SECONDS = 60.0
LONGEST_PRICE_WAIT_SECONDS = 3600.0


class NodeStatusWriter:
    """`on_conditions` is called with a node, as it was, whose conditions were written anew."""

    def __init__(
        self,
        hub: KubernetesApi,
        fleet: Fleet,
        events: EventWriter,
        *,
        currency: str,
        clocks: Clocks,
        on_conditions: Callable[[ComputeNode], None],
    ) -> None:
        self._hub = hub
        self._fleet = fleet
        self._events = events
        self._currency = currency
        self._clocks = clocks
        self._on_conditions = on_conditions
        self._published: dict[str, float] = {}

    def published_before(self, name: str) -> None:
        """A former process published the node's profile; those of a hundred nodes are not due at once."""
        self._published[name] = self._clocks.monotonic() - spread(name, REPUBLISH_SECONDS)

    def due_in(self, name: str) -> float:
        """Seconds until new figures of the node may be published; 0 or less where they may be now."""
        return PUBLISH_SECONDS - self._since_published(name)

    async def write(self, known: FleetNode) -> float | None:
        """Write what has changed; the answer is when, in seconds, to look again, None where the node is gone."""
        name, now = known.node.metadata["name"], self._clocks.now()
        tariff = tariff_state(known.node.spec.tariff, now, self._currency)
        profile = to_status(known.profile) if known.profile and self.due_in(name) <= 0 else None
        before = known.node  # the watch may show our own write before its answer is here
        old = before.status
        says = known.stated(now, self._currency)
        change = min(_change(known, says, now), self._fleet.offer_changes_in(name) + 0.1)
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
            since = self._since_published(name)
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
                self._on_conditions(before)
            logger.debug("node status written", **reference("ComputeNode", before.metadata), fields=sorted(patch))
        return min(change, REPUBLISH_SECONDS)

    async def write_unread(self, name: str, body: Manifest, message: str) -> None:
        """Tell a node that can't be read why that is so."""
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

    def _since_published(self, name: str) -> float:
        return self._clocks.monotonic() - self._published.get(name, float("-inf"))


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
