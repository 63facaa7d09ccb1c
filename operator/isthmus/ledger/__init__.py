"""The SQL store of readings and bookings, with its migrations. Does I/O; knows no kopf.

Everything is booked once and never rewritten; a reading that comes again changes nothing. One process writes.
"""

from .booking import BookResult, Outcome, ReadingBooked
from .ledger import Ledger
from .queries import JobCost, RecordedConflict, Touched

__all__ = ["BookResult", "JobCost", "Ledger", "Outcome", "ReadingBooked", "RecordedConflict", "Touched"]
