"""A reason with its meaning and its mend, and the table of those that one condition can have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Texts for people: sentences, with names of fields in backticks."""

    name: str
    meaning: str
    mend: str = ""
    """What to do; empty where there is nothing to mend."""
    see: str = ""
    """Where the pages tell more: a path below docs/, with its anchor."""


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """The reasons of one condition of one kind, or of what is told like one: events, verdicts, lines."""

    kind: str
    subject: str
    about: str
    """What the condition tells, one sentence or two."""
    reasons: tuple[Reason, ...]

    @property
    def title(self) -> str:
        """How pages and programs name the table."""
        return f"{self.kind}: {self.subject}"

    def find(self, name: str) -> Reason | None:
        """The reason of that name, or None."""
        return next((reason for reason in self.reasons if reason.name == name), None)
