"""Watches a member's devices of Dynamic Resource Allocation: what drivers publish, how it is named, who holds it.

A member may not serve resource.k8s.io/v1, or not let us read it. Then nothing of it is watched, and its accelerators
are what its Nodes say. Where no driver publishes anything only that is watched, whether one does.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from isthmus.api.devices import DeviceClass, ResourceClaim, ResourceSlice
from isthmus.capacity import DeviceTable
from isthmus.clusters import (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCESLICES,
    ClusterError,
    Forbidden,
    Informer,
    KubernetesApi,
    NotFound,
    UnexpectedAnswer,
)

# Where there is nothing to read, or it may not be read, one looks again at ever longer intervals.
FIRST_LOOK_SECONDS = 5.0
LONGEST_LOOK_SECONDS = 600.0
# An API server that has just started may refuse what it allows in a moment: what was known is kept for some looks.
LOOKS_KEPT = 2
GROUP_PATH = "/apis/resource.k8s.io/v1"
# From this minor version of Kubernetes 1 on, kube-scheduler gives out devices by the names of their classes.
_IMPLICIT_SINCE = 36
# What says that there is nothing to read, and not only that it can't be read just now.
_ABSENT = (Forbidden, NotFound)

_log = structlog.get_logger(__name__)


class DeviceWatch:
    """Keeps `devices` as the member has them; `on_change` is called when that may have changed some figure."""

    def __init__(
        self,
        member: KubernetesApi,
        devices: DeviceTable,
        on_change: Callable[[], None],
        *,
        longest_pause_seconds: float,
    ) -> None:
        self._member = member
        self._devices = devices
        self._on_change = on_change
        self._longest_pause = longest_pause_seconds
        self._settled = asyncio.Event()
        self._absent = asyncio.Event()
        self._published = asyncio.Event()
        self._absences = 0
        self._informers = self._new_informers()
        devices.set_complete(complete=False)

    async def wait_settled(self) -> None:
        """Until all devices are in, or there are none to read; or they can't be read just now, and come later."""
        await self._settled.wait()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                if await self._served():
                    await self._follow()
                self._missed()
                pause = min(FIRST_LOOK_SECONDS * 2 ** (self._absences - 1), LONGEST_LOOK_SECONDS)
            except ClusterError:  # the member is away, or does not answer: its other watches tell of it
                pause = self._longest_pause
            self._settled.set()
            await asyncio.sleep(pause)

    async def _served(self) -> bool:
        """Whether the member serves the devices' API; which of their names count is read as well."""
        try:
            await self._member.probe(GROUP_PATH)
        except (*_ABSENT, UnexpectedAnswer):
            return False
        minor = str((await self._member.probe()).get("minor", "")).rstrip("+")
        self._devices.count_implicit_names(implicit=minor.isdecimal() and int(minor) >= _IMPLICIT_SINCE)
        return True

    async def _follow(self) -> None:
        """Watch all that there is, until some of it is not to be read any more."""
        self._absent.clear()
        watching = asyncio.create_task(self._watch())
        absent = asyncio.create_task(self._absent.wait())
        try:
            done, _ = await asyncio.wait((watching, absent), return_when=asyncio.FIRST_COMPLETED)
            if watching in done:
                watching.result()
        finally:
            absent.cancel()
            watching.cancel()
            await asyncio.gather(watching, absent, return_exceptions=True)

    async def _watch(self) -> None:
        slices, *others = self._informers
        async with asyncio.TaskGroup() as group:
            group.create_task(slices.run())
            await slices.wait_synced()
            if not self._published.is_set():
                self._settled.set()
                await self._published.wait()
            for informer in others:
                group.create_task(informer.run())
            for informer in others:
                await informer.wait_synced()
            self._devices.set_complete(complete=True)
            self._on_change()
            self._settled.set()

    def _missed(self) -> None:
        """There was nothing to read; after some looks what was known before is forgotten."""
        self._absences = min(self._absences + 1, 16)
        if self._absences > LOOKS_KEPT:
            self._informers = self._new_informers()
            self._devices.clear()
            self._devices.set_complete(complete=False)
            self._on_change()

    def _new_informers(self) -> tuple[Informer[Any], ...]:
        pause = self._longest_pause

        def informer(resource: Any, kind: type[Any], on_change: Callable[..., None]) -> Informer[Any]:  # noqa: ANN401
            return Informer(
                self._member,
                resource,
                type=kind,
                on_change=on_change,
                on_connection=self._linked,
                longest_pause_seconds=pause,
            )

        return (
            informer(RESOURCESLICES, ResourceSlice, self._slice),
            informer(DEVICECLASSES, DeviceClass, self._class),
            informer(RESOURCECLAIMS, ResourceClaim, self._claim),
        )

    def _linked(self, error: ClusterError | None) -> None:
        if error is None:
            wanted = self._informers if self._published.is_set() else self._informers[:1]
            if all(informer.connected for informer in wanted):
                self._absences = 0
            return
        if isinstance(error, _ABSENT):
            self._absent.set()
            if not self._absences:
                told = "devices can't be read: accelerators are what Nodes say"
                _log.info(told, member=self._member.name, why=str(error))
        self._settled.set()

    def _slice(self, kind: str, _old: object, each: ResourceSlice) -> None:
        if kind == "DELETED":
            self._devices.remove_slice(each.metadata.name)
        else:
            self._devices.upsert_slice(each)
            self._published.set()
        self._on_change()

    def _class(self, kind: str, _old: object, each: DeviceClass) -> None:
        if kind == "DELETED":
            self._devices.remove_class(each.metadata.name)
        else:
            self._devices.upsert_class(each)
        self._on_change()

    def _claim(self, kind: str, _old: object, each: ResourceClaim) -> None:
        if kind == "DELETED":
            self._devices.remove_claim(each.metadata.namespace, each.metadata.name)
        else:
            self._devices.upsert_claim(each)
        self._on_change()
