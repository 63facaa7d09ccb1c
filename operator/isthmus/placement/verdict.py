"""What one node is found to be for one job: a reason against it, or its score."""

from collections.abc import Mapping
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Score:
    """The weighted total and its parts, each an integer of 0..100; `note` says why a part is 0 for want of a figure."""

    total: int
    parts: Mapping[str, int]
    note: str = ""
