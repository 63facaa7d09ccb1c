"""Reading JSON whose types nobody has checked yet: the wrong type reads as nothing there."""

from typing import Any


def mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """The object, or an empty one where the value is none."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:  # noqa: ANN401  # JSON
    """The list, or an empty one where the value is none."""
    return value if isinstance(value, list) else []
