"""The tiers as options take them; the kind's own enumeration would cost every command the models' import."""

from enum import StrEnum


class Tier(StrEnum):
    """The level of a node."""

    HUB = "Hub"
    CORE = "Core"
    REGION = "Region"
    INDUSTRY = "Industry"
    EDGE = "Edge"
