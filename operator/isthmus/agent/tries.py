"""What somebody in the member undoes or refuses: how often it is tried, and when that is worth telling. Pure."""

from dataclasses import dataclass

LONGEST_PAUSE_SECONDS = 60.0
# Undone so often in a row, it is no accident.
TOLD_AFTER = 3


@dataclass(slots=True)
class Tries:
    """To resume one Job since it was last meant to be suspended, or to suspend it since it was meant to run."""

    number: int = 0
    last: float = float("-inf")

    def sent(self, now: float) -> None:
        """It was tried."""
        self.number = self.number + 1 if now - self.last <= 2 * LONGEST_PAUSE_SECONDS else 1
        self.last = now

    def pause(self, now: float) -> float:
        """Seconds until it may be tried again, which is twice as long each time; none before the first."""
        return 0.0 if not self.number else self.last + min(2.0 ** (self.number - 1), LONGEST_PAUSE_SECONDS) - now

    @property
    def undone(self) -> bool:
        """Whether what was tried, found to be called for again, is undone by somebody."""
        return self.number >= TOLD_AFTER
