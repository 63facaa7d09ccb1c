"""Snapshot and jobs to assignments and explanations. Pure: no I/O, no clock, no hidden randomness."""

from .accounts import AccountLimits, AccountsView, AccountView
from .allowance import Allowance
from .asked import Asked
from .assignment import Limits
from .assumed import AssumedLedger, Assumption
from .demand import Demand, Split, demand_of, grace_seconds, width_of
from .division import divide, minimum_width
from .engine import BATCH, place
from .examination import Examination, Finding, ShapeFit, examine
from .fit import Fit, fit
from .forms import Form, demand_in
from .hint import ShapeHint, shape_hint
from .holding import Holding
from .losing import MachineLosses
from .order import Round, capacity_of, rounds_of
from .outcome import Assignment, Outcome, Programs, Unplaced
from .preemption import Preemption
from .remedies import Remedy, remedies
from .reservation import Reservation
from .rooms import Rooms
from .running import RunningShard
from .snapshot import NodeView, PriceView, Snapshot
from .solution import Solution, solve_batch
from .terms import Terms
from .usage import Usage
from .verdict import Rejection

__all__ = [
    "BATCH",
    "AccountLimits",
    "AccountView",
    "AccountsView",
    "Allowance",
    "Asked",
    "Assignment",
    "AssumedLedger",
    "Assumption",
    "Demand",
    "Examination",
    "Finding",
    "Fit",
    "Form",
    "Holding",
    "Limits",
    "MachineLosses",
    "NodeView",
    "Outcome",
    "Preemption",
    "PriceView",
    "Programs",
    "Rejection",
    "Remedy",
    "Reservation",
    "Rooms",
    "Round",
    "RunningShard",
    "ShapeFit",
    "ShapeHint",
    "Snapshot",
    "Solution",
    "Split",
    "Terms",
    "Unplaced",
    "Usage",
    "capacity_of",
    "demand_in",
    "demand_of",
    "divide",
    "examine",
    "fit",
    "grace_seconds",
    "minimum_width",
    "place",
    "remedies",
    "rounds_of",
    "shape_hint",
    "solve_batch",
    "width_of",
]
