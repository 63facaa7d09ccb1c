import json

import pytest

from isthmus.clusters import (
    AlreadyExists,
    ApiError,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerFailure,
    TooManyRequests,
    Unauthorized,
    UnexpectedAnswer,
)
from isthmus.clusters.errors import error_of


def _status(reason: str, code: int, message: str = "words") -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "code": code, "message": message}).encode()


@pytest.mark.parametrize(
    ("code", "api_reason", "kind"),
    [
        (400, "BadRequest", Invalid),
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (405, "MethodNotAllowed", ApiError),
        (409, "Conflict", Conflict),
        (409, "AlreadyExists", AlreadyExists),
        (410, "Expired", Expired),
        (410, "Gone", Expired),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", TooManyRequests),
        (500, "InternalError", ServerFailure),
        (503, "ServiceUnavailable", ServerFailure),
        (504, "Timeout", ServerFailure),
    ],
)
def test_a_status_becomes_its_own_error(code: int, api_reason: str, kind: type[ApiError]) -> None:
    """Each refusal has its own class, and carries the API server's reason and words."""
    error = error_of(code, _status(api_reason, code), about="north: GET /x")
    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert (error.status, error.api_reason, str(error)) == (code, api_reason, "north: GET /x: words")


@pytest.mark.parametrize("code", [400, 404, 409, 410, 422])
def test_without_a_status_nothing_is_taken_for_absent_or_changed(code: int) -> None:
    """A proxy's 404 page must not make anyone believe that an object is gone."""
    error = error_of(code, b"<html><h1>Not Found</h1></html>", about="north: GET /x")
    assert type(error) is UnexpectedAnswer
    assert "Not Found" in str(error)


@pytest.mark.parametrize(("code", "kind"), [(401, Unauthorized), (403, Forbidden), (502, ServerFailure)])
def test_a_proxy_in_between_may_refuse_or_fail(code: int, kind: type[ClusterError]) -> None:
    """Without a Status, a refusal or failure is still what its code says, with an excerpt of the page."""
    error = error_of(code, b"<h1>no\n\n entry</h1>" + b"x" * 10_000)
    assert type(error) is kind
    assert "no entry" in str(error)
    assert len(str(error)) < 400


def test_retry_after_may_stand_in_the_details() -> None:
    """The API server's retryAfterSeconds counts where the header is missing."""
    body = {"kind": "Status", "code": 429, "message": "slow down", "details": {"retryAfterSeconds": 3}}
    error = error_of(429, json.dumps(body).encode())
    assert isinstance(error, TooManyRequests)
    assert error.retry_after == 3


def test_every_reason_can_stand_in_a_condition() -> None:
    """A reason is CamelCase, and no two classes share one."""
    kinds = {ClusterError}
    for _ in range(3):
        kinds |= {child for kind in kinds for child in kind.__subclasses__()}
    reasons = [kind.reason for kind in kinds]
    assert len(set(reasons)) == len(reasons) > 15
    assert all(reason.isalnum() and reason[0].isupper() for reason in reasons)
