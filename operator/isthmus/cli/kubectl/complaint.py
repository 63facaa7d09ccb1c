"""What a command can't do, in one line: printed as it stands, with exit code 1."""

from isthmus.cli.escaping import printable
from isthmus.errors import IsthmusError


class Complaint(IsthmusError):  # noqa: N818 - it is a complaint
    """A command that can't be carried out; the text says why and what would do."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)
        self.problem, self.mend = text, ""


def line_of(error: Exception) -> str:
    """The error as kubectl words such, on one line."""
    from isthmus.clusters.errors import ApiError, Unauthorized

    if isinstance(error, Unauthorized):
        said = f"error: You must be logged in to the server ({error.message})"
    elif isinstance(error, ApiError):
        said = f"Error from server ({error.api_reason or error.reason}): {error.message}"
    else:
        said = f"error: {error}"
    return printable(" ".join(said.split()))
