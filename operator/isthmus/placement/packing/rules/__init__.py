"""What chooses between machines: one file each."""

from .bestfit import BestFit
from .fragmentation import Fragmentation
from .uniform import Uniform

__all__ = ["BestFit", "Fragmentation", "Uniform"]
