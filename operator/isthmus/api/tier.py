"""The tiers of nodes. Apart from the models, whose import would cost every command of the command line its time."""

from enum import StrEnum


class Tier(StrEnum):
    """The level of a node in the compute-interconnection system."""

    HUB = "Hub"
    CORE = "Core"
    REGION = "Region"
    INDUSTRY = "Industry"
    EDGE = "Edge"
