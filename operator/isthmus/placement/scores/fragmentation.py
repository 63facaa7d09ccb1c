"""Keep large blocks of accelerators whole.

Best fit on accelerators: a simple relative of the fragmentation measure of FGD (Weng et al., "Beware of Fragmentation:
Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC'23), which counts the accelerators of
a machine that what is likely to come cannot use. Here: what a machine has left beside the job is what gets hard to use.
It is asked about all machines of all nodes for each job; the machine in the node is chosen by the measure itself, see
`isthmus.placement.losing`.
"""

from isthmus.placement.candidate import Candidate

from .field import Field


def fragmentation(candidate: Candidate, _field: Field) -> int:
    """100 where the job fills the accelerators of a machine to the last; for CPU work, the share off such machines.

    Of a split job, the share of what has room here.
    """
    fit = candidate.fit
    if fit.idle_share is not None:
        return max(0, 100 - fit.idle_share)
    width = min(fit.pods_free, candidate.demand.width)
    return 100 * min(fit.plain, width) // width if width else 100
