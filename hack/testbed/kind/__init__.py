"""Clusters of containers, made by kind: their machines are real kubelets and run real Pods."""

from testbed.kind.engine import Engine, KindError
from testbed.kind.provider import KindProvider

__all__ = ["Engine", "KindError", "KindProvider"]
