"""How far a member is from regions, what carrying data out of it costs, and how far away a job may be."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from .model import VALIDITY, Currency, Instant, Model, Price, RegionCode, list_map, rules

MAX_MILLISECONDS = 3_600_000


class Latency(Model):
    """How long a packet takes from the member to a region and back."""

    model_config = ConfigDict(json_schema_extra=rules(VALIDITY))

    region: Annotated[RegionCode, Field(description="The region's code; the member's own is stated like any other.")]
    milliseconds: Annotated[
        int, Field(ge=0, le=MAX_MILLISECONDS, description="Round trip, rounded up to whole milliseconds.")
    ]
    basis: Annotated[
        Literal["Measured", "Declared"], Field(description="Whether it was measured or is only declared.")
    ] = "Declared"
    valid_from: Annotated[Instant, Field(description="In force from this instant on.")] | None = None
    valid_until: Annotated[Instant, Field(description="No longer in force from this instant on.")] | None = None


class Egress(Model):
    """What it costs to carry data out of the member."""

    model_config = ConfigDict(json_schema_extra=rules(VALIDITY))

    price_per_gibibyte: Annotated[Price, Field(description="A GiB carried out of the member.")]
    currency: Annotated[Currency, Field(description="ISO 4217 code; counts where it is the hub's.")]
    valid_from: Annotated[Instant, Field(description="In force from this instant on.")] | None = None
    valid_until: Annotated[Instant, Field(description="No longer in force from this instant on.")] | None = None


class Network(Model):
    """How the member is connected."""

    latencies: Annotated[
        list[Latency],
        Field(
            max_length=128,
            default_factory=list,
            json_schema_extra=list_map("region"),
            description="Round trips to regions.",
        ),
    ]
    egress: Annotated[Egress, Field(description="What carrying data out of it costs.")] | None = None


class LatencyLimit(Model):
    """How far from a region the job may be."""

    region: Annotated[RegionCode, Field(description="The region's code.")]
    milliseconds: Annotated[int, Field(ge=1, le=MAX_MILLISECONDS, description="The longest round trip that will do.")]
