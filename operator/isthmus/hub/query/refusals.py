"""A refusal as Kubernetes words it: a Status object with its HTTP code."""

import msgspec

from isthmus.api.names import QUERY_API_VERSION, QUERY_GROUP, QUERY_VERSION

GROUP, VERSION, API_VERSION = QUERY_GROUP, QUERY_VERSION, QUERY_API_VERSION
PLURAL = "computejobs"
ACCOUNTS = "accounts"


class Refused(Exception):  # noqa: N818 - it says what happened
    """The request is not answered; the message is for people, `reason` is one of Kubernetes' own words."""

    def __init__(self, code: int, reason: str, message: str, *, name: str = "", retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.name = name
        self.retry_after = retry_after

    def body(self) -> bytes:
        """The Status, as JSON."""
        details: dict[str, object] = {}
        if self.name:
            details |= {"name": self.name, "group": GROUP, "kind": PLURAL}
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            **({"details": details} if details else {}),
            "code": self.code,
        }
        return msgspec.json.encode(status)


def bad_request(message: str) -> Refused:
    """400: the request itself is wrong."""
    return Refused(400, "BadRequest", message)


def unauthorized(message: str) -> Refused:
    """401: nobody whom we trust says who asks."""
    return Refused(401, "Unauthorized", message)


def not_found(name: str) -> Refused:
    """404: no such ComputeJob."""
    return Refused(404, "NotFound", f'computejobs.isthmus.dev "{name}" not found', name=name)


def gone(message: str, name: str) -> Refused:
    """410: it was there."""
    return Refused(410, "Gone", message, name=name)


def too_many(message: str) -> Refused:
    """429: not now."""
    return Refused(429, "TooManyRequests", message, retry_after=5)


def unavailable(message: str) -> Refused:
    """503: something that the answer needs does not answer."""
    return Refused(503, "ServiceUnavailable", message)
