"""The tree of errors that Isthmus raises on purpose; each says what happened and what can be done.

IsthmusError
├── HubError                the hub can't begin its work
│   └── MissingPermissionError  its identity may not do all that it needs to
├── LedgerError             the ledger can't be opened, read or written
├── ManifestError           a manifest in a file can't be read, or is none
└── TraceError              a cluster's trace can't be read, or not simulated
"""

from collections.abc import Sequence


class IsthmusError(Exception):
    """What every error here shares: `problem` says what happened, `mend` what the user can do."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem}; {mend}")
        self.problem = problem
        self.mend = mend


class LedgerError(IsthmusError):
    """The ledger can't be opened, read or written."""


class ManifestError(IsthmusError):
    """A manifest in a file can't be read, or is none of the kind that is wanted."""


class TraceError(IsthmusError):
    """A cluster's trace can't be read, or can't be simulated."""


class HubError(IsthmusError):
    """The hub can't begin its work."""


class MissingPermissionError(HubError):
    """The hub's identity may not do all that it needs to; `lines` has one for each resource."""

    def __init__(self, permissions: Sequence[str], mend: str) -> None:
        super().__init__(f"the hub is not permitted to {'; to '.join(permissions)}", mend)
        self.lines = tuple(f"the hub is not permitted to {permission}" for permission in permissions)
