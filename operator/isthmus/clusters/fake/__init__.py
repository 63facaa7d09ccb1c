"""An in-memory cluster behind the same seam as the client: for tests, with faults on demand. No network, no clock."""

from .cluster import FakeCluster
from .faults import Call, matching

__all__ = ["Call", "FakeCluster", "matching"]
