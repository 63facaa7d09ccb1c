"""ResourceClaims: which devices are held, and for whom."""

from dataclasses import dataclass

from isthmus.api.devices import ResourceClaim

from .pools import DeviceId

EXTENDED_RESOURCE = "resource.kubernetes.io/extended-resource-claim"
"""The annotation of claims that kube-scheduler makes for a pod which asks for an extended resource."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Devices that one claim holds, however many pods share it.

    `pod` is the UID of the pod for whose extended resources the claim was made: what it holds is what the pod asks for,
    and like that it counts from when the pod is bound.
    """

    devices: frozenset[DeviceId]
    pod: str | None = None


def hold_of(claim: ResourceClaim) -> Hold | None:
    """What a claim holds; None where nothing is allocated to it. What it has for administration stays free."""
    allocation = claim.status.allocation
    results = allocation.devices.results if allocation is not None else ()
    devices = frozenset((each.driver, each.pool, each.device) for each in results if not each.admin_access)
    if not devices:
        return None
    made = claim.metadata.annotations.get(EXTENDED_RESOURCE) == "true"
    owners = (each.uid for each in claim.metadata.owner_references if each.controller and each.kind in {"", "Pod"})
    return Hold(devices, next(owners, None) if made else None)
