"""Renders what follows from the models in the chart: its values and their schema, the CRDs, a local member's rights."""

from .files import chart_files

__all__ = ["chart_files"]
