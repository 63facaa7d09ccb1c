"""What ends the demo early, told to a person."""


class DemoError(Exception):
    """The demo can't go on; the message says what happened and `mend` what to do about it."""

    def __init__(self, message: str, mend: str) -> None:
        """Keeps both texts, each a sentence or two."""
        super().__init__(message)
        self.mend = mend
