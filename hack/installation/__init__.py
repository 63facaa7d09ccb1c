"""Isthmus installed as its documentation says, by Helm and `kubectl isthmus`, on clusters of either provider."""

from installation.desk import CommandError, Desk
from installation.hubpod import HubPod
from installation.installation import Installation
from installation.operator import Operator
from installation.work import work

__all__ = ["CommandError", "Desk", "HubPod", "Installation", "Operator", "work"]
