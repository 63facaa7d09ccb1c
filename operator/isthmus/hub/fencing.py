"""What becomes of a shard whose node can't be reached: waited for, or given up so that its work can run elsewhere.

The rule (DESIGN.md §5): a shard is rerun only after it is certain to have stopped, or on somebody's word. Time is
counted by a clock that never jumps and runs through suspends, from what this very process saw; one that has just
started waits afresh.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from isthmus.agent import Clocks, timestamp
from isthmus.agent.contact import Contacts
from isthmus.agent.fence import FENCED, FORGOTTEN, LANDING_SECONDS, NEVER_ACCEPTED, UNFENCED
from isthmus.agent.stoprate import StopRate
from isthmus.api.computejob import ComputeJob
from isthmus.api.computenode import Timing
from isthmus.api.core import Manifest
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState, Fence
from isthmus.api.names import ANNOTATION_FORGET, node_namespace
from isthmus.api.reference import reference
from isthmus.clusters import DISPATCHES, Conflict, KubernetesApi, NotFound

from .dispatches import DispatchStore
from .fleet import Fleet
from .forgetting import forget_before, pending_seconds, silent_since
from .stopping import stop_seconds

logger = structlog.get_logger(__name__)

# A shard that only somebody's word can release is looked at again this seldom.
SELDOM_SECONDS = 600.0
# A probe that is asked for has its answer, or none, within the client's time limit.
PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing may be done for `seconds`; `why` is for people, and stays the same while nothing changes."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The shard may be given up: it has certainly stopped, or somebody's word stands for that."""

    reason: str
    message: str


Verdict = Wait | GiveUp


def fence_of(timing: Timing, grace_seconds: int, width: int, rate: StopRate | None) -> Fence:
    """The fence for a shard of `width` pods at a time, each with `grace_seconds` to stop.

    The allowance covers the grace and the pods over the member's measured rate, or the node's own setting if longer.
    """
    needed = stop_seconds(width, grace_seconds, rate)
    return Fence(
        after_seconds=timing.fence_after_seconds, stop_allowance_seconds=max(timing.stop_allowance_seconds, needed)
    )


class Fencing:
    """Decides on live shards of nodes out of reach, and writes the verdict.

    `look(node)` has the node's session try the member now. While the hub's own API is down nothing is decided: the
    verdict stands only once a consistent read and two writes have confirmed it.
    """

    def __init__(
        self,
        hub: KubernetesApi,
        *,
        dispatches: DispatchStore,
        fleet: Fleet,
        contacts: Contacts,
        clocks: Clocks,
        look: Callable[[str], None],
    ) -> None:
        self._hub = hub
        self._dispatches = dispatches
        self._fleet = fleet
        self._contacts = contacts
        self._clocks = clocks
        self._look = look

    def verdict(self, node: str, dispatch: Dispatch, job: ComputeJob) -> Verdict | None:
        """What is to be done about a live shard; None while its node is within reach, or not yet known not to be."""
        if dispatch.status.state in TERMINAL or node not in self._fleet.unreachable([node]):
            return None
        if dispatch.status.state is None:  # nothing is created before the shard is accepted, on this very version
            return GiveUp(NEVER_ACCEPTED, f"{node} was out of reach before it took the shard; nothing of it ever ran")
        verdict = self._by_wish(node, dispatch, job.spec.placement.on_node_lost)
        forgotten = self._forgotten(node, dispatch)
        if isinstance(forgotten, GiveUp) or isinstance(verdict, GiveUp):
            return forgotten if isinstance(forgotten, GiveUp) else verdict
        if forgotten is not None:
            return Wait(min(verdict.seconds, forgotten.seconds), forgotten.why)
        known = self._fleet.get(node)
        pending = pending_seconds(known.node, self._clocks.now()) if known is not None else None
        if pending is not None:
            return Wait(min(verdict.seconds, pending + 0.1), verdict.why)
        return verdict

    async def give_up(self, node: str, dispatch: Dispatch, job: ComputeJob) -> bool:
        """Write the verdict if, by a consistent read, it still is to give up. Whether the shard is given up now.

        First the desired state, so that whoever carries the shard out stops; then Lost, so that its indexes are
        offered anew. Both on the version that was read: whoever wrote meanwhile wins, and the answer is False. Raises
        ClusterError; nothing that was written before it needs to be taken back.
        """
        name, uid = dispatch.metadata["name"], dispatch.metadata["uid"]
        with self._contacts.of(node).held(uid):
            try:
                fresh = await self._read(node, name)
                verdict = self.verdict(node, fresh, job) if fresh.metadata["uid"] == uid else None
                if not isinstance(verdict, GiveUp):
                    return False
                if fresh.spec.desired_state != "Cancelled":
                    fresh = await self._patch(node, fresh, {"spec": {"desiredState": "Cancelled"}})
                status = {
                    "state": str(DispatchState.LOST),
                    "reason": verdict.reason,
                    "message": verdict.message,
                    "active": 0,
                    "armed": False,
                    "podProblem": None,
                    "completionTime": timestamp(self._clocks.now()),
                    "verdictTime": timestamp(self._contacts.of(node).member_time()),
                }
                await self._patch(node, fresh, {"status": status}, subresource="status")
            except (Conflict, NotFound):
                return False
        logger.warning(
            "shard given up",
            **reference("Dispatch", dispatch.metadata),
            node=node,
            reason=verdict.reason,
            message=verdict.message,
        )
        return True

    def _by_wish(self, node: str, dispatch: Dispatch, wish: str) -> Verdict:
        if wish == "RerunUnfenced":
            return self._unfenced(node)
        if wish == "Rerun" and dispatch.spec.fence is not None:
            return self._fenced(node, dispatch, dispatch.spec.fence)
        return Wait(SELDOM_SECONDS, "the job stays with it, and its state is told on return")

    def _forgotten(self, node: str, dispatch: Dispatch) -> Verdict | None:
        """What the operator's word allows, where it holds: it can't speak for a call of our own that may yet land."""
        known = self._fleet.get(node)
        if known is None:
            return None
        since = silent_since(known.node, known.facts.lost_at)
        instant, _ = forget_before(known.node, self._clocks.now(), since)
        made = dispatch.metadata.get("creationTimestamp")
        if instant is None or made is None or datetime.fromisoformat(made) >= instant:
            return None
        left = self._contacts.of(node).last_attempt(dispatch.metadata["uid"]) + LANDING_SECONDS
        left -= self._clocks.monotonic()
        if left > 0:
            return Wait(
                left, "the job is run elsewhere once nothing that was asked of the member can be carried out late"
            )
        text = known.node.metadata["annotations"][ANNOTATION_FORGET]
        message = (
            f"{node} can't be reached, and {ANNOTATION_FORGET}={text} says that what it was sent before has stopped"
        )
        return GiveUp(FORGOTTEN, message)

    def _unfenced(self, node: str) -> Verdict:
        known = self._fleet.get(node)
        after = known.node.spec.timing.fence_after_seconds if known is not None else Timing().fence_after_seconds
        contact = self._contacts.of(node)
        due = contact.heard_at + after
        why = f"the job is run elsewhere once it has been silent for {after} s, though it may still run there"
        left = self._left(node, due)
        if left > 0:
            return Wait(left, why)
        return GiveUp(UNFENCED, f"{node} was silent for {after} s; what it still runs of the shard may run twice")

    def _fenced(self, node: str, dispatch: Dispatch, fence: Fence) -> Verdict:
        uid, contact = dispatch.metadata["uid"], self._contacts.of(node)
        stopped = dispatch.status.stopped  # taken back before it is resumed
        if not stopped and (not dispatch.status.armed or contact.unarmed(uid)):
            why = contact.controllers or "it was not seen to have begun under its limit"
            return Wait(
                SELDOM_SECONDS, f"the shard can't be relied on to stop by itself ({why}); the job waits for its word"
            )
        seconds = fence.after_seconds + self._allowance(node, fence)
        how = "the shard had stopped before" if stopped else "the member stops the shard by itself"
        why = f"{how}; it is run elsewhere {seconds} s after the last contact"
        left = self._left(node, contact.last_attempt(uid) + seconds)
        if left > 0:
            return Wait(left, why)
        end = "and its shard had stopped before" if stopped else "after which its shard has stopped by itself"
        return GiveUp(FENCED, f"{node} was out of reach for {seconds} s, {end}")

    def _allowance(self, node: str, fence: Fence) -> int:
        """Seconds that the member may need to stop a shard from its limit on.

        In an outage it stops all fenced shards of the node, after what it was told to stop before, and in which order
        nobody knows. As long as pods wait to be stopped it stops some, so that one shard's are done by the time that
        all together take, counted from that shard's own limit: what began to be stopped before is less by what was
        stopped since.
        """
        rate, stopping = self._fleet.stop_rate(node), self._dispatches.node(node).stopping
        return max(fence.stop_allowance_seconds, stop_seconds(stopping.pods, stopping.grace_seconds, rate))

    def _left(self, node: str, due: float) -> float:
        """Seconds until `due`, and from then on until the member was tried in vain once more.

        A process that was stopped for a while finds all times over at once, and the member perhaps back.
        """
        left = due - self._clocks.monotonic()
        if left > 0 or self._fleet.removed(node) or self._contacts.of(node).tried_in_vain_since(due):
            return max(left, 0.0)
        self._look(node)
        return PROBE_SECONDS

    async def _read(self, node: str, name: str) -> Dispatch:
        body: Manifest = await self._hub.get(DISPATCHES, name, node_namespace(node))
        return self._learned(node, body)

    async def _patch(self, node: str, dispatch: Dispatch, body: Manifest, subresource: str | None = None) -> Dispatch:
        metadata = {key: dispatch.metadata[key] for key in ("uid", "resourceVersion")}
        name = dispatch.metadata["name"]
        answer: Manifest = await self._hub.patch(
            DISPATCHES, name, node_namespace(node), {"metadata": metadata, **body}, subresource=subresource
        )
        return self._learned(node, answer)

    def _learned(self, node: str, body: Manifest) -> Dispatch:
        dispatch = Dispatch.model_validate(body)
        self._dispatches.put(node, dispatch)
        return dispatch
