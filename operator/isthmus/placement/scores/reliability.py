"""A node that kept its word is better: the share of shards there that were not lost or refused, with a prior."""

from isthmus.placement.candidate import Candidate

from .field import Field


def reliability(candidate: Candidate, _field: Field) -> int:
    """The node's record, as the hub keeps it, in percent."""
    return candidate.node.reliability
