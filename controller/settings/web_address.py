"""Addresses of web services as they may stand in a site."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from controller.settings.problems import shown

_ADVICE = "write one like http://10.0.0.5:8086 or https://influx.example.org"


def web_address(text: str) -> str:
    """The address without a slash at its end. Raises ValueError with what is wrong; what would be right."""
    if not text.isprintable() or " " in text:
        raise ValueError(f"'{shown(text)}' has characters that no address has; {_ADVICE}")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ValueError(f"'{shown(text)}' is no address ({error}); {_ADVICE}") from None
    _check(parts)
    return text.rstrip("/")


def _check(parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise ValueError("a user or password stands in the address; remove it, and give a token")
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"'{shown(parts.geturl())}' begins neither with http:// nor with https://; {_ADVICE}")
    if not parts.hostname:
        raise ValueError(f"'{shown(parts.geturl())}' names no host; {_ADVICE}")
    if not _can_exist(parts.hostname):
        raise ValueError(f"'{shown(parts.geturl())}' has a host name that cannot exist; {_ADVICE}")
    if _port(parts) == 0:
        raise ValueError(f"'{shown(parts.netloc)}' has no port from 1 to 65535; {_ADVICE}")
    if parts.query or parts.fragment:
        raise ValueError(f"'{shown(parts.geturl())}' goes on after the path; end it before the '?' or '#'")


def _can_exist(host: str) -> bool:
    """No part of a name is empty or longer than 63 characters (RFC 1035, 2.3.4)."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _port(parts: SplitResult) -> int | None:
    """The port, None for the scheme's own, 0 for one that cannot be."""
    try:
        return parts.port
    except ValueError:
        return 0
