"""A job's Dispatches as one: what they are to do, and their removal once nothing of them is left."""

from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import FINALIZER_DISPATCH, node_namespace
from isthmus.clusters import DISPATCHES, KubernetesApi, NotFound

from .booking import Booking
from .dispatches import DispatchStore
from .fleet import Fleet


class Shards:
    """Writes Dispatches that are there. All raise ClusterError."""

    def __init__(self, hub: KubernetesApi, dispatches: DispatchStore, fleet: Fleet, booking: Booking) -> None:
        self._hub = hub
        self._dispatches = dispatches
        self._fleet = fleet
        self._booking = booking

    async def desire(self, node: str, dispatch: Dispatch, wish: str, *, as_seen: bool = False) -> None:
        """Have the node bring the shard into the state wished for; `as_seen`: only if it stands as it was seen.

        Then raises Conflict where it does not.
        """
        name = dispatch.metadata["name"]
        seen = {"metadata": {key: dispatch.metadata[key] for key in ("uid", "resourceVersion")}} if as_seen else {}
        body = {**seen, "spec": {"desiredState": wish}}
        try:
            answer = await self._hub.patch(DISPATCHES, name, node_namespace(node), body)
        except NotFound:
            return
        self._dispatches.put(node, Dispatch.model_validate(answer))

    async def stop(self, dispatches: tuple[tuple[str, Dispatch], ...]) -> None:
        """Cancel live shards of a job that has ended: one that a former hub process had on its way can come late."""
        for node, dispatch in dispatches:
            if dispatch.status.state not in TERMINAL and dispatch.spec.desired_state != "Cancelled":
                await self.desire(node, dispatch, "Cancelled")

    async def clear(self, dispatches: tuple[tuple[str, Dispatch], ...]) -> list[str]:
        """Move each Dispatch of an ended job towards its removal. The nodes that still hold one.

        Nobody answers any more for a node that was removed. Should it come back, its agent deletes what it finds
        without a Dispatch.
        """
        left: list[str] = []
        for node, dispatch in dispatches:
            if self._fleet.removed(node) and self._booking.is_booked(dispatch):
                await self._remove(node, dispatch)
            elif dispatch.spec.desired_state != "Cancelled":
                await self.desire(node, dispatch, "Cancelled")
            elif dispatch.status.state in TERMINAL and dispatch.status.released and self._booking.is_booked(dispatch):
                await self._remove(node, dispatch)
            left.append(node)
        return left

    async def _remove(self, node: str, dispatch: Dispatch) -> None:
        metadata, namespace = dispatch.metadata, node_namespace(node)
        if "deletionTimestamp" not in metadata:
            await self._hub.delete(
                DISPATCHES, metadata["name"], namespace, uid=metadata["uid"], propagation="Background"
            )
        rest = [f for f in metadata.get("finalizers", ()) if f != FINALIZER_DISPATCH]
        body = {"metadata": {"uid": metadata["uid"], "finalizers": rest}}
        try:
            await self._hub.patch(DISPATCHES, metadata["name"], namespace, body)
        except NotFound:
            return
