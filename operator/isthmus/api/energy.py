"""What a member's work costs the climate: its data centre's overhead, its grid, and the draw of its accelerators."""

from typing import Annotated

from pydantic import ConfigDict, Field

from .model import VALIDITY, Instant, Model, list_map, rules


class CarbonIntensity(Model):
    """What the grid behind the member emits."""

    model_config = ConfigDict(json_schema_extra=rules(VALIDITY))

    grams_per_kilowatt_hour: Annotated[
        str,
        Field(
            pattern=r"^(0|[1-9][0-9]{0,4})(\.[0-9]{1,6})?$",
            max_length=12,
            description="Grams of CO2 equivalent for a kWh, an exact decimal.",
        ),
    ]
    source: Annotated[str, Field(min_length=1, max_length=253, description="Where the figure is from.")]
    valid_from: Annotated[Instant, Field(description="In force from this instant on.")] | None = None
    valid_until: Annotated[Instant, Field(description="No longer in force from this instant on.")] | None = None


class ModelWatts(Model):
    """What one accelerator of a model draws at work."""

    model: Annotated[str, Field(min_length=1, max_length=128, description="As the profile names it; * is any other.")]
    watts: Annotated[
        str,
        Field(pattern=r"^(0|[1-9][0-9]{0,5})(\.[0-9]{1,3})?$", max_length=10, description="Watts, an exact decimal."),
    ]


class Energy(Model):
    """What is known of the member's energy."""

    pue: Annotated[
        str,
        Field(
            pattern=r"^[1-9][0-9]?(\.[0-9]{1,4})?$",
            max_length=7,
            description="Power usage effectiveness: energy of the whole site over that of its machines; at least 1.",
        ),
    ]
    carbon_intensity: Annotated[CarbonIntensity, Field(description="What its grid emits.")] | None = None
    watts: Annotated[
        list[ModelWatts],
        Field(
            max_length=128,
            default_factory=list,
            json_schema_extra=list_map("model"),
            description="What one whole accelerator draws at work, by model.",
        ),
    ]
