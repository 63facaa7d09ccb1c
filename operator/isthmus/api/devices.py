"""Devices of Dynamic Resource Allocation (resource.k8s.io/v1) as msgspec structs: only the fields that are read."""

from msgspec import field

from .core import Metadata, Object


class DeviceAttribute(Object):
    """An attribute of a device: one of these. Lists of values are not read."""

    integer: int | None = field(name="int", default=None)
    boolean: bool | None = field(name="bool", default=None)
    string: str | None = None
    version: str | None = None


class DeviceCapacity(Object):
    """An amount of something that a device has."""

    value: str | int | float = "0"


class DeviceTaint(Object):
    """A taint of a device."""

    effect: str = ""


class CounterConsumption(Object):
    """What a device, while it is held, takes of counters that it shares with others."""

    counter_set: str = ""


class Device(Object):
    """One device of a pool; its `node_name` counts only where the slice says that devices have their own."""

    name: str = ""
    attributes: dict[str, DeviceAttribute] = field(default_factory=dict)
    capacity: dict[str, DeviceCapacity] = field(default_factory=dict)
    consumes_counters: list[CounterConsumption] = field(default_factory=list)
    node_name: str = ""
    taints: list[DeviceTaint] = field(default_factory=list)


class ResourcePool(Object):
    """Which pool a slice is of, and how many slices this generation of it has."""

    name: str = ""
    generation: int = 0
    resource_slice_count: int = 0


class ResourceSliceSpec(Object):
    """The spec of a slice."""

    driver: str = ""
    pool: ResourcePool = field(default_factory=ResourcePool)
    node_name: str = ""
    per_device_node_selection: bool = False
    devices: list[Device] = field(default_factory=list)


class ResourceSlice(Object):
    """Some of the devices that a driver publishes."""

    metadata: Metadata
    spec: ResourceSliceSpec = field(default_factory=ResourceSliceSpec)


class Expression(Object):
    """An expression in CEL."""

    expression: str = ""


class DeviceSelector(Object):
    """What a device must be to be of a class."""

    cel: Expression | None = None


class DeviceClassSpec(Object):
    """The spec of a class of devices."""

    selectors: list[DeviceSelector] = field(default_factory=list)
    extended_resource_name: str = ""


class DeviceClass(Object):
    """A class of devices, and by which extended resource a pod may ask for them."""

    metadata: Metadata
    spec: DeviceClassSpec = field(default_factory=DeviceClassSpec)


class AllocatedDevice(Object):
    """A device that was allocated; with administrative access it stays free for others."""

    driver: str = ""
    pool: str = ""
    device: str = ""
    admin_access: bool = False


class DeviceAllocation(Object):
    """The devices that were allocated to a claim."""

    results: list[AllocatedDevice] = field(default_factory=list)


class Allocation(Object):
    """What was allocated to a claim."""

    devices: DeviceAllocation = field(default_factory=DeviceAllocation)


class ResourceClaimStatus(Object):
    """The status of a claim."""

    allocation: Allocation | None = None


class ResourceClaim(Object):
    """A claim to devices."""

    metadata: Metadata
    status: ResourceClaimStatus = field(default_factory=ResourceClaimStatus)
