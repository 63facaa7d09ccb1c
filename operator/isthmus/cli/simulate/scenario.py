"""Members for a replay: where they are, what they charge, and how clean their power is, hour by hour."""

import math
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from isthmus.errors import TraceError

from .hourly import Hourly

DEFAULT = Path(__file__).with_name("scenario.yaml")
_ANY = "*"
_MOST_MEMBERS = 1000

_Amount = Annotated[float, msgspec.Meta(ge=0)]
_Hours = Annotated[list[_Amount], msgspec.Meta(min_length=24, max_length=24)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]


class Watts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What draws how much while it is in use: a core, and a GPU by model; `*` any other."""

    core: _Amount
    gpu: dict[str, _Amount]

    def of_model(self, model: str) -> float:
        """A GPU of the model, in watts."""
        return self.gpu.get(model, self.gpu.get(_ANY, 0.0))


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """For an hour, at a price factor of 1: a core, a GiB, and a GPU by model; `*` any other."""

    core_hour: _Amount
    gibibyte_hour: _Amount
    gpu_hour: dict[str, _Amount]

    def of_model(self, model: str) -> float:
        """An hour of a GPU of the model."""
        return self.gpu_hour.get(model, self.gpu_hour.get(_ANY, 0.0))


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One member; its factors and grams are of the 24 hours of a day, by the trace's clock."""

    name: _Name
    region: _Name
    prices: Prices
    price_factors: _Hours
    grams_per_kilowatt_hour: _Hours
    pue: Annotated[float, msgspec.Meta(ge=1)] = 1.0
    share: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1

    def factor(self) -> Hourly:
        """Its prices over the day, as factors."""
        return Hourly(self.price_factors)

    def emission(self) -> Hourly:
        """Grams of CO2 equivalent for a kWh that its machines use."""
        return Hourly([grams * self.pue for grams in self.grams_per_kilowatt_hour])


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Members, in whose currency they charge, and what machines draw."""

    currency: _Name
    watts: Watts
    members: Annotated[list[Member], msgspec.Meta(min_length=1, max_length=_MOST_MEMBERS)]


def read_scenario(path: Path) -> Scenario:
    """The scenario in a YAML file. Raises TraceError for what is missing or not of its form."""
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        scenario = msgspec.convert(raw, Scenario)
    except OSError as error:
        raise TraceError(f"can't read {path}: {error.strerror}", "name a YAML file with members") from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise TraceError(f"{path}: {error}", "docs/simulator.md tells its form") from None
    if len({member.name for member in scenario.members}) < len(scenario.members):
        raise TraceError(f"{path}: two members have the same name", "give each its own")
    if not all(math.isfinite(each) for each in _figures(scenario)):
        raise TraceError(f"{path}: a figure is not finite", "give a number")
    return scenario


def _figures(scenario: Scenario) -> list[float]:
    figures = [scenario.watts.core, *scenario.watts.gpu.values()]
    for member in scenario.members:
        figures += [member.pue, *member.price_factors, *member.grams_per_kilowatt_hour]
        figures += [member.prices.core_hour, member.prices.gibibyte_hour, *member.prices.gpu_hour.values()]
    return figures
