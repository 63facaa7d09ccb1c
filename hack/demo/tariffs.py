"""What the members charge: plausible prices of public clouds, each member its own list."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from demo.accelerators import product_name

CURRENCY = "CNY"


@dataclasses.dataclass(frozen=True, slots=True)
class Tariff:
    """Prices of a second, as decimal strings: one core, one GiB, one whole GPU by the trace's model."""

    version: str
    core: str
    gibibyte: str
    gpus: Mapping[str, str]

    def manifest(self) -> dict[str, Any]:
        """The `tariff` of a ComputeNode."""
        gpu_prices = [{"model": product_name(model), "price": price} for model, price in self.gpus.items()]
        return {
            "version": self.version,
            "currency": CURRENCY,
            "prices": {"coreSecond": self.core, "gibibyteSecond": self.gibibyte, "gpuSecond": gpu_prices},
        }


# An hour: core 0.18, GiB 0.036, G3 32.40, V100 32 GB 25.20, G2 14.40.
CORE = Tariff("2026-11", "0.00005", "0.00001", {"G3": "0.009", "V100M32": "0.007", "G2": "0.004"})

# In the west, where power is cheap. An hour: core 0.144, GiB 0.0288, V100 16 GB 18.00, P100 9.00, T4 6.48.
REGION = Tariff("2026-11", "0.00004", "0.000008", {"V100M16": "0.005", "P100": "0.0025", "T4": "0.0018"})

# An hour: core 0.198, GiB 0.0396, A10 11.88, T4 7.92.
INDUSTRY = Tariff("2026-11-industry", "0.000055", "0.000011", {"A10": "0.0033", "T4": "0.0022"})

# Near to people and dear. An hour: core 0.252, GiB 0.0504, T4 10.08, P100 11.52.
EDGE = Tariff("2026-11-edge", "0.00007", "0.000014", {"T4": "0.0028", "P100": "0.0032"})
