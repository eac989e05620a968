"""Where messages may go: addresses that users enter are looked up and judged before anything is sent to them."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stocklab.errors import InputError

__all__ = ["Target", "check_host", "host_of", "target_of"]

_LONGEST_URL: Final = 1000
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A web address that may be called: ``url`` as entered, and the address of the host that was judged."""

    url: str
    host: str
    port: int
    address: str
    secure: bool

    @property
    def connect_url(self) -> str:
        """The URL with the judged address in place of the name, so that no second look-up can answer another."""
        parts = urlsplit(self.url)
        shown = f"[{self.address}]" if ":" in self.address else self.address
        path = parts.path or "/"
        return f"{parts.scheme}://{shown}:{self.port}{path}" + (f"?{parts.query}" if parts.query else "")

    @property
    def host_header(self) -> str:
        """The name as the receiver expects it."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.secure else 80) else f"{shown}:{self.port}"


def host_of(url: str) -> str:
    """The host of a web address that a user entered, lower case.

    Raises
    ------
    InputError
        It is not a web address, or carries a user name.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InputError("Expected an address such as https://host/path.") from error
    odd = any(character.isspace() or not character.isprintable() for character in url)
    if parts.scheme not in ("http", "https") or not parts.hostname or odd or len(url) > _LONGEST_URL:
        raise InputError("Expected an address such as https://host/path, without spaces and at most 1,000 characters.")
    if parts.username is not None or parts.password is not None:
        raise InputError("Expected an address without a user name or password in it.")
    return parts.hostname


def target_of(url: str, *, allow_private: bool) -> Target:
    """Look the host up and judge where it leads.

    Raises
    ------
    InputError
        The address may not be called: see `check_host`; or plain http to a host of the internet.
    OSError
        The name is not known.
    """
    host = host_of(url)
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = check_host(host, port, allow_private=allow_private)
    if not secure and ipaddress.ip_address(address).is_global:
        raise InputError("Expected https:// for a host of the internet; http:// would let others read along.")
    return Target(url=url, host=host, port=port, address=address, secure=secure)


def check_host(host: str, port: int, *, allow_private: bool) -> str:
    """The first address of a host, all of whose addresses may be called.

    Addresses of this machine and of private networks need ``allow_private``. Link-local ones, where clouds keep their
    secrets, and those that belong to nobody are refused always.

    Raises
    ------
    InputError
        One of them may not be called.
    OSError
        The name is not known.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise InputError(f"Expected the name of a host, found {host[:60]!r}.") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        inner = _inner(address)
        if inner.is_link_local or inner.is_multicast or inner.is_unspecified or _is_reserved(inner):
            raise InputError(f"{host} leads to {inner}, which may not be called.")
        if not inner.is_global and not allow_private:
            raise InputError(
                f"{host} leads into a private network. Hint: STOCKLAB_ALERTS_TO_PRIVATE_HOSTS=true allows that."
            )
    return str(addresses[0])


def _inner(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_reserved(address: _Address) -> bool:
    return address.is_reserved and not address.is_loopback
