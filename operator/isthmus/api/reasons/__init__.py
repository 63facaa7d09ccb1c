"""Every reason that conditions, events, verdicts and bills give, with what it means and what to do about it.

The one source of the page docs/reference/reasons.md; a test finds every reason that the code gives in here.
"""

from .computejob import ADMITTED, COMPLETE, EVENTS, FAILED, LATE, PLACED
from .computenode import FIGURES_CURRENT, PRICE_CURRENT, REACHABLE, READY, SCHEDULABLE
from .dispatch import SHARDS
from .preempted import PREEMPTED
from .reason import Reason, ReasonTable
from .settlement import CURRENT, UNPRICED
from .stalled import STALLED
from .verdicts import VERDICTS

TABLES = (
    REACHABLE,
    READY,
    SCHEDULABLE,
    PRICE_CURRENT,
    FIGURES_CURRENT,
    ADMITTED,
    PLACED,
    VERDICTS,
    PREEMPTED,
    STALLED,
    LATE,
    COMPLETE,
    FAILED,
    EVENTS,
    SHARDS,
    CURRENT,
    UNPRICED,
)

__all__ = ["TABLES", "Reason", "ReasonTable"]
