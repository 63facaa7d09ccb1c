"""Nodes and pods to a resource profile and per-machine shapes. Pure: no I/O, no clock."""

from .accelerators import AcceleratorEntry, AcceleratorTable, model_matches
from .affinity import AffinityTerm, affinity_terms
from .devices import DeviceTable
from .figures import SHAPE_LIMIT
from .impossible import impossible
from .machines import MachineTable
from .profile import Accelerator, AcceleratorTotal, ExpectedPods, MachineTaint, NodeLabel, Profile, Shape
from .requests import effective_request, shared_request
from .status import from_status, to_status
from .taints import LIFECYCLE_TAINTS, untolerated

__all__ = [
    "LIFECYCLE_TAINTS",
    "SHAPE_LIMIT",
    "Accelerator",
    "AcceleratorEntry",
    "AcceleratorTable",
    "AcceleratorTotal",
    "AffinityTerm",
    "DeviceTable",
    "ExpectedPods",
    "MachineTable",
    "MachineTaint",
    "NodeLabel",
    "Profile",
    "Shape",
    "affinity_terms",
    "effective_request",
    "from_status",
    "impossible",
    "model_matches",
    "shared_request",
    "to_status",
    "untolerated",
]
