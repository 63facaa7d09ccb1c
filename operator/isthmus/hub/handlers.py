"""kopf's part: it watches ComputeNodes and Settlements and hands each to the reconciler that knows what to do."""

from collections.abc import Awaitable, Callable, Iterator
from itertools import chain, repeat

import kopf

from isthmus.api.names import FINALIZER_NODE, GROUP, VERSION
from isthmus.clusters import ClusterError

from .hub import Hub

# Each look at a node that waits for its work to end costs a write and a line in the log; work may take days.
REMOVAL_RETRY_SECONDS = 2.0
REMOVAL_QUICK_TRIES = 45
REMOVAL_LONG_RETRY_SECONDS = 15.0


class _Pauses:
    """Seconds between tries at the hub's API, without an end: one that is away must not end the hub."""

    def __iter__(self) -> Iterator[float]:
        return chain((0.5, 1.0, 2.0), repeat(5.0))


def registry_of(  # noqa: C901 - one function a handler
    hub: Hub, login: kopf.ConnectionInfo | None, close: Callable[[], Awaitable[None]]
) -> kopf.OperatorRegistry:
    """The handlers, bound to one hub; `login` is used where given, else the pod's own ServiceAccount.

    `close` ends the hub. Kopf calls it when told to stop, since it waits some seconds for whatever tasks are left.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def log_in(settings: kopf.OperatorSettings, **_: object) -> kopf.ConnectionInfo | None:
        return login or kopf.login_with_service_account(settings=settings)

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: object) -> None:
        # Conditions and our own events tell what happened; kopf's would repeat its log.
        settings.posting.enabled = False
        # The kinds are known at start, and were looked for: no watch on definitions and namespaces is needed.
        settings.scanning.disabled = True
        settings.networking.error_backoffs = _Pauses()
        settings.persistence.finalizer = FINALIZER_NODE
        settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
        settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)

    @kopf.on.cleanup(registry=registry)
    async def end(**_: object) -> None:
        await close()

    @kopf.on.resume(GROUP, VERSION, "computenodes", registry=registry)
    @kopf.on.create(GROUP, VERSION, "computenodes", registry=registry)
    @kopf.on.update(GROUP, VERSION, "computenodes", registry=registry)
    async def node_declared(body: kopf.Body, **_: object) -> None:
        hub.nodes.apply(dict(body))

    # Kopf takes all annotations with our prefix for its own, and calls a change of them no update.
    @kopf.on.event(GROUP, VERSION, "computenodes", registry=registry)
    async def node_seen(event: kopf.RawEvent, **_: object) -> None:
        if event["type"] != "DELETED":
            hub.nodes.observed(dict(event["object"]))

    @kopf.on.delete(GROUP, VERSION, "computenodes", registry=registry)
    async def node_deleted(body: kopf.Body, retry: int, **_: object) -> None:
        delay = REMOVAL_RETRY_SECONDS if retry < REMOVAL_QUICK_TRIES else REMOVAL_LONG_RETRY_SECONDS
        try:
            waiting_for = await hub.nodes.remove(dict(body))
        except ClusterError as error:
            raise kopf.TemporaryError(f"the hub's API: {error}", delay=delay) from error
        if waiting_for is not None:
            raise kopf.TemporaryError(waiting_for, delay=delay)

    @kopf.on.event(GROUP, VERSION, "settlements", registry=registry)
    async def settlement_seen(event: kopf.RawEvent, **_: object) -> None:
        hub.settlements.observed(dict(event["object"]), gone=event["type"] == "DELETED")

    return registry
