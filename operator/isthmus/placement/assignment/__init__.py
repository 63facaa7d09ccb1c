"""A batch of jobs at once: a linear program over classes of equal jobs and nodes, made whole on real machines.

The program (`columns`, `rows`, `program`) says what share of each class goes where, and what each resource of each
node is worth. `rounding` takes its whole part onto the machines, the largest jobs first; `repair` moves, ejects and
inserts jobs while that lowers the objective. No clock and no chance: time and seed are handed in (`Limits`).
"""

from .limits import Limits
from .planning import Plan, plan
from .pool import Pool, pools_of

__all__ = ["Limits", "Plan", "Pool", "plan", "pools_of"]
