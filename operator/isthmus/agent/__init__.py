"""The loop that carries out one node's Dispatches and reports. Does I/O; knows no kopf."""

from .agent import Agent, Clocks
from .observe import timestamp

__all__ = ["Agent", "Clocks", "timestamp"]
