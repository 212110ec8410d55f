"""Which hosts a secret may be sent to, by name and by address."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  #: IPv4 inside IPv6 (RFC 6052)


def check_host(url: str, suffixes: Sequence[str], allow_host: Sequence[str]) -> str:
    """The origin (``scheme://host[:port]``) of a URL that a secret may be sent to.

    A host outside the vendor's suffixes must be named by ``allow_host`` (host or host:port).
    Raises ValueError with the reason.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https"):
        raise ValueError("must start with https://")
    if not _is_plain(parts, host):
        raise ValueError("expected https://HOST, without user, path, query or fragment")
    named = host in allow_host or parts.netloc.lower() in allow_host
    vendors = any(host == suffix or host.endswith("." + suffix) for suffix in suffixes)
    if not named and not vendors:
        raise ValueError(
            f"{host} is not one of the vendor's hosts (*.{', *.'.join(suffixes)}); "
            f"if it is meant, add it to allow_host"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and named and _is_loopback(host)):
        raise ValueError("must start with https://")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_plain(parts: SplitResult, host: str) -> bool:
    """Whether an address is a host and perhaps a port, told in one way only."""
    try:
        port = parts.port
    except ValueError:
        return False
    more = parts.username or parts.path.strip("/") or parts.query or parts.fragment
    return bool(host) and not more and host.isascii() and not host.endswith(".") and port != 0


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(told: str) -> bool:
    """Whether a resolved address lies outside every private network."""
    address = ipaddress.ip_address(told)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped.is_global
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF).is_global
    return address.is_global
