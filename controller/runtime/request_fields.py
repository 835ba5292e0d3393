"""What stands in a request: checked, bounded, or refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from controller.core.point import PointId
from controller.runtime.daemon import Daemon

# What a person writes of a test.
LONGEST_WORDS = 1000
LONGEST_NAME = 80
# Who wants a point for longer changes the configuration.
LONGEST_COMMAND_S = 366 * 86400.0


class RequestRefused(Exception):
    """The request cannot be met; its words go to whoever asked."""


def lasting_of(request: Mapping[str, Any]) -> timedelta:
    lasting = request.get("for_s")
    if not isinstance(lasting, (int, float)) or isinstance(lasting, bool):
        raise RequestRefused("a command needs an end: for_s, in seconds")
    if not abs(lasting) <= LONGEST_COMMAND_S:
        raise RequestRefused(f"a command lasts at most {LONGEST_COMMAND_S / 86400:g} days")
    return timedelta(seconds=lasting)


def system_of(daemon: Daemon, request: Mapping[str, Any]) -> str:
    system = str(request.get("system"))
    if system not in daemon.authority:
        raise RequestRefused(f"there is no system {system!r}; there are {', '.join(daemon.authority)}")
    return system


def point_of(daemon: Daemon, request: Mapping[str, Any]) -> PointId:
    point = PointId(str(request.get("point")))
    if point not in daemon.site.points:
        raise RequestRefused(f"there is no point {point!r} in this site")
    return point


def why_of(request: Mapping[str, Any]) -> str:
    return words_of(request, "reason")


def words_of(request: Mapping[str, Any], key: str) -> str:
    return str(request.get(key) or "")[:LONGEST_WORDS]


def who_of(request: Mapping[str, Any]) -> str:
    return str(request.get("who") or "unknown")[:LONGEST_NAME]


def named_by(request: Mapping[str, Any]) -> str:
    """A lock is somebody's: nobody's name is filled in."""
    return str(request.get("who") or "")[:LONGEST_NAME]
