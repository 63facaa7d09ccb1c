"""Whether the members are ready for work, and if not, why."""

from collections.abc import Iterable, Mapping

from demo.members import Member
from isthmus.api.computenode import ComputeNode


def unready(members: Iterable[Member], nodes: Mapping[str, ComputeNode]) -> list[str]:
    """Each member that takes no work yet, with the reason that its ComputeNode gives."""
    return [told for member in members if (told := _objection(member.name, nodes.get(member.name)))]


def _objection(name: str, node: ComputeNode | None) -> str | None:
    if node is None:
        return f"{name} is not entered"
    schedulable = next((each for each in node.status.conditions if each.type == "Schedulable"), None)
    if schedulable is None:
        return f"{name} was not looked at"
    return None if schedulable.status == "True" else f"{name}: {schedulable.reason}: {schedulable.message}"
