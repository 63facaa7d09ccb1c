"""Pods to seconds to cumulative readings. Pure: no I/O, no clock."""

from .accumulate import SETTLING_LIMIT, Advance, PodUse, advance
from .interval import LIVE_LAG, Interval, pod_interval
from .late import apart, joined
from .meters import (
    MEBIBYTE_SECONDS,
    METER_LIMIT,
    MILLI_GPU_SECONDS,
    MILLICORE_SECONDS,
    OTHER_MODELS,
    Meter,
    MeterName,
    Meters,
    pod_meters,
)

__all__ = [
    "LIVE_LAG",
    "MEBIBYTE_SECONDS",
    "METER_LIMIT",
    "MILLICORE_SECONDS",
    "MILLI_GPU_SECONDS",
    "OTHER_MODELS",
    "SETTLING_LIMIT",
    "Advance",
    "Interval",
    "Meter",
    "MeterName",
    "Meters",
    "PodUse",
    "advance",
    "apart",
    "joined",
    "pod_interval",
    "pod_meters",
]
