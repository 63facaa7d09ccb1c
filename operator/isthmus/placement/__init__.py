"""Snapshot and jobs to assignments and explanations. Pure: no I/O, no clock, no hidden randomness."""

from .assumed import AssumedLedger, Assumption
from .demand import Demand, Split, demand_of, grace_seconds, width_of
from .division import divide, minimum_width
from .engine import Assignment, Outcome, Unplaced, place
from .examination import Examination, Finding, examine
from .fit import Fit, fit
from .forms import Form, demand_in
from .rooms import Rooms
from .snapshot import NodeView, PriceView, Snapshot
from .verdict import Rejection

__all__ = [
    "Assignment",
    "AssumedLedger",
    "Assumption",
    "Demand",
    "Examination",
    "Finding",
    "Fit",
    "Form",
    "NodeView",
    "Outcome",
    "PriceView",
    "Rejection",
    "Rooms",
    "Snapshot",
    "Split",
    "Unplaced",
    "demand_in",
    "demand_of",
    "divide",
    "examine",
    "fit",
    "grace_seconds",
    "minimum_width",
    "place",
    "width_of",
]
