"""Numbers that options give: each within its bounds, or the command is refused with what would do."""

import math

from isthmus.cli.ending import refuse


def positive(command: str, option: str, value: float, highest: float = math.inf) -> None:
    """Refuse what is not above 0 and up to `highest`; without a highest, infinity will do."""
    if not 0 < value <= highest:
        most = "" if highest == math.inf else f" and up to {highest:g}"
        refuse(command, f"{option} is {value:g}; give a number above 0{most}")


def counted(command: str, option: str, value: int, lowest: int = 0, highest: int | None = None) -> None:
    """Refuse a whole number below `lowest` or above `highest`."""
    if value < lowest or (highest is not None and value > highest):
        most = "on" if highest is None else f"to {highest}"
        refuse(command, f"{option} is {value}; give a number from {lowest} {most}")
