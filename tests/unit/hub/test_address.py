import pytest

from isthmus.errors import HubError
from isthmus.hub.address import Address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        pytest.param("0.0.0.0:8080", "0.0.0.0", 8080, id="any IPv4"),  # noqa: S104 - only read
        pytest.param("127.0.0.1:0", "127.0.0.1", 0, id="any free port"),
        pytest.param(":8080", None, 8080, id="no host"),
        pytest.param("[::1]:8080", "::1", 8080, id="IPv6"),
        pytest.param("localhost:65535", "localhost", 65535, id="name"),
    ],
)
def test_addresses(text: str, host: str | None, port: int) -> None:
    """Host and port are told apart as everywhere, and no host is all of them."""
    assert Address.parse(text, "--http-address") == Address(host, port)


@pytest.mark.parametrize(
    "text", ["8080", "127.0.0.1", "host:", "host:http", "::1:8080", "[::1]", "[host:80", "h:65536", "h:-1", "h:٨٠"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    """Anything else is refused with the option and how it is to be written."""
    with pytest.raises(HubError, match=r"--http-address=.* is no address; write HOST:PORT"):
        Address.parse(text, "--http-address")
