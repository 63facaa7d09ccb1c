"""Isthmus federates Kubernetes clusters as compute nodes: placement, execution, metering and settlement."""

__all__ = ["__version__"]

__version__ = "0.1.0"
