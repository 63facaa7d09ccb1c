"""What one node is found to be for one job: a reason against it, or its score."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a node can't take a job: a CamelCase reason, and a sentence for people.

    `permanent` tells what can't change by waiting (the job or the node would have to be edited) from what can. `gist`
    is what a summary over many nodes says beside the reason, where that alone is not plain.
    """

    reason: str
    message: str
    permanent: bool = False
    gist: str = ""

    def of_variant(self, variant: str | None) -> "Rejection":
        """The same, said of one form of the job; None is the only one that it has."""
        if variant is None:
            return self
        gist = f"variant {variant}: {self.gist}" if self.gist else ""
        return replace(self, message=f"variant {variant}: {self.message}", gist=gist)


@dataclass(frozen=True, slots=True)
class Score:
    """The weighted total and its parts, each an integer of 0..100; `note` says why a part is 0 for want of a figure."""

    total: int
    parts: Mapping[str, int]
    note: str = ""
