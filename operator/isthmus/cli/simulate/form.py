"""How `isthmus simulate` writes figures."""

from enum import StrEnum


class Form(StrEnum):
    """For people, or for programs."""

    TABLE = "table"
    JSON = "json"
