"""What decides between nodes that would all do: an objective, or weights of one's own."""

from typing import Annotated, Literal

from pydantic import Field

from .model import rules

SCORES = ("price", "carbon", "latency", "data", "tier", "fragmentation", "free", "reliability")
"""The scores that weights name; placement has one file for each."""
Objective = Literal["Balanced", "Cheapest", "Greenest", "Fastest"]

_QUOTED = ", ".join(f"'{name}'" for name in SCORES)

Weights = Annotated[
    dict[str, Annotated[int, Field(ge=0, le=100)]],
    Field(
        max_length=len(SCORES),
        json_schema_extra=rules(
            (f"self.all(name, name in [{_QUOTED}])", f"the scores are {', '.join(SCORES)}; name no others"),
            ("self.exists(name, self[name] > 0)", "the weights sum to zero; give at least one score more than 0"),
        ),
        description="How much each score counts, from 0 to 100, in proportion; one that is not named counts nothing.",
    ),
]
