from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from isthmus.hub.query.authorization import review_of
from isthmus.hub.query.frontproxy import Caller, FrontProxy
from isthmus.hub.query.refusals import Refused

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
OTHER = CERTIFICATE.replace("AAAA", "BBBB")
DATA = {
    "requestheader-client-ca-file": CERTIFICATE,
    "requestheader-allowed-names": '["front-proxy-client"]',
    "requestheader-username-headers": '["X-Remote-User"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
}
PROXY = {"subject": ((("commonName", "front-proxy-client"),),)}
STRANGER = {"subject": ((("organizationName", "front-proxy-client"),), (("commonName", "kubelet"),))}


# As the server reads the bytes of a header that are no UTF-8.
LATIN = "andré".encode("latin-1").decode(errors="surrogateescape")


def headers(*pairs: tuple[str, str]) -> CIMultiDictProxy[str]:
    """Headers as a request has them."""
    return CIMultiDictProxy(CIMultiDict(pairs))


ANN = headers(
    ("x-remote-user", "ann"),
    ("X-Remote-Group", "team"),
    ("X-Remote-Group", "system:authenticated"),
    ("X-Remote-Uid", "u-1"),
    ("X-Remote-Extra-Scopes", "read"),
    ("X-Remote-Extra-scopes", "write"),
    ("X-Remote-Extra-Example.com%2fKey", "a b"),
)


def test_caller_of_a_proxy() -> None:
    """User, groups, UID and extra fields are those of the headers, and all of them stand in the review."""
    caller = FrontProxy.of(DATA).caller(PROXY, ANN)
    assert caller == Caller(
        "ann",
        ("team", "system:authenticated"),
        "u-1",
        (("example.com/key", ("a b",)), ("scopes", ("read", "write"))),
    )
    spec = review_of(caller, "team-a", "train", "log")["spec"]
    assert spec == {
        "user": "ann",
        "groups": ["team", "system:authenticated"],
        "uid": "u-1",
        "extra": {"example.com/key": ["a b"], "scopes": ["read", "write"]},
        "resourceAttributes": {
            "group": "query.isthmus.dev",
            "version": "v1alpha1",
            "resource": "computejobs",
            "subresource": "log",
            "verb": "get",
            "namespace": "team-a",
            "name": "train",
        },
    }


@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        (None, ANN),
        ({}, ANN),
        (STRANGER, ANN),
        (PROXY, headers()),
        (PROXY, headers(("X-Remote-User", ""), ("X-Remote-Group", "system:masters"))),
        (PROXY, headers(("X-Forwarded-User", "ann"))),
        (PROXY, headers(("X-Remote-User", LATIN))),
        (PROXY, headers(("X-Remote-User", "ann"), ("X-Remote-Group", LATIN))),
        (PROXY, headers(("X-Remote-User", "ann"), ("X-Remote-Extra-Scopes", LATIN))),
    ],
    ids=[
        "no certificate",
        "an empty one",
        "another name",
        "nobody",
        "an empty user",
        "another header",
        "Latin-1",
        "Latin-1 group",
        "Latin-1 extra",
    ],
)
def test_nobody_to_believe(certificate: dict[str, Any] | None, told: CIMultiDictProxy[str]) -> None:
    """Without an allowed proxy's certificate, or without a user in its headers, nobody has asked."""
    with pytest.raises(Refused) as refused:
        FrontProxy.of(DATA).caller(certificate, told)
    assert (refused.value.code, refused.value.reason) == (401, "Unauthorized")


def test_any_name_of_the_authority() -> None:
    """Where the cluster names no proxies, all are believed that its authority has signed."""
    proxy = FrontProxy.of({**DATA, "requestheader-allowed-names": "[]"})
    assert proxy.caller(STRANGER, ANN).user == "ann"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("requestheader-client-ca-file", "", "--requestheader-client-ca-file"),
        ("requestheader-username-headers", "[]", "names no --requestheader-username-headers"),
        ("requestheader-group-headers", "{", "requestheader-group-headers is no list of names"),
        ("requestheader-allowed-names", '"all"', "requestheader-allowed-names is no list of names"),
    ],
    ids=["no authority", "no user header", "no JSON", "no list"],
)
def test_cluster_that_is_not_set_up(key: str, value: str, words: str) -> None:
    """A configuration that does not serve is told in words, and never taken for one that lets everybody in."""
    with pytest.raises(ValueError, match=words):
        FrontProxy.of({**DATA, key: value})


def test_authorities_that_stay() -> None:
    """Added authorities leave former connections trusted, removed ones do not."""
    one = FrontProxy.of(DATA)
    both = FrontProxy.of({**DATA, "requestheader-client-ca-file": OTHER + CERTIFICATE})
    assert both.trusts_all_of(one)
    assert not one.trusts_all_of(both)
