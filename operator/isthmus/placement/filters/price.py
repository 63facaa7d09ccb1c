"""The node must have a price in force for all that the job would use."""

from isthmus.placement.candidate import Candidate
from isthmus.placement.verdict import Rejection

NO_TARIFF = "NoTariff"
NOT_CURRENT = "PriceNotCurrent"
MODEL_UNPRICED = "ModelUnpriced"


def price(candidate: Candidate) -> Rejection | None:
    """Reject a node without a tariff in force, or without a price for enough of the accelerators that would do."""
    view, offer = candidate.node.price, candidate.offer
    if view is None:
        return Rejection(NO_TARIFF, "the node has no tariff")
    if not view.current:
        return Rejection(view.reason or NOT_CURRENT, view.message or "the node's prices are not in force")
    if offer.pods_empty < candidate.least:  # and its size alone would do
        there = {a.meter_model for kind in candidate.room.kinds for a in kind.accelerators}
        unpriced = ", ".join(sorted(model for model in there if view.of_model(model) is None))
        return Rejection(MODEL_UNPRICED, f"the node's tariff has no price for its accelerators: {unpriced}")
    return None
