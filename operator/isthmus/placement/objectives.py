"""How much each score counts under an objective, in percent."""

from collections.abc import Mapping

OBJECTIVES: Mapping[str, Mapping[str, int]] = {
    "Balanced": {"price": 35, "tier": 25, "free": 15, "fragmentation": 25},
    # The other scores decide between equal prices.
    "Cheapest": {"price": 100, "tier": 0, "free": 0, "fragmentation": 0},
}
