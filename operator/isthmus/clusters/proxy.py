"""Which proxy leads to a server, by the environment's usual variables."""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass


def environment_proxy(server: str) -> str | None:
    """HTTPS_PROXY or HTTP_PROXY for that server's URL, unless NO_PROXY (names, suffixes, addresses, CIDRs) exempts it.

    Loopback addresses are never proxied, as with other Kubernetes clients.
    """
    parts = urlsplit(server)
    host = parts.hostname or ""
    proxies = getproxies_environment()
    if parts.scheme not in proxies or host == "localhost" or _bypassed(host, proxies.get("no", "")):
        return None
    return None if proxy_bypass(host) else proxies[parts.scheme]


def _bypassed(host: str, exempt: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if address.is_loopback:
        return True
    for entry in exempt.split(","):
        try:
            if address in ip_network(entry.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False
