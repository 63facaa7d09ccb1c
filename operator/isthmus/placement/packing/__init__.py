"""Which machine a pod goes on, GPU by GPU: free GPUs as a vector per machine, shared ones among them.

A pod that asks for a share of a GPU sits on one GPU, a pod of n GPUs takes n that nothing else uses. Pure.
"""

from .classes import PodClass, PodClasses
from .columns import Column, Columns, Rule
from .experiment import allocation, arrivals
from .losses import Losses, WholeLosses
from .machines import Machine, State, deal
from .members import Members
from .packing import Packing, Placement
from .rules import BestFit, Fragmentation, Uniform
from .shapes import SHAPES, Shapes
from .workload import Workload

__all__ = [
    "SHAPES",
    "BestFit",
    "Column",
    "Columns",
    "Fragmentation",
    "Losses",
    "Machine",
    "Members",
    "Packing",
    "Placement",
    "PodClass",
    "PodClasses",
    "Rule",
    "Shapes",
    "State",
    "Uniform",
    "WholeLosses",
    "Workload",
    "allocation",
    "arrivals",
    "deal",
]
