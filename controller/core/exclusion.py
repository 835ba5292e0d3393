"""Mutual exclusion: of some machines or valves at most one may be on. An interlock: it holds at every level.

Of several that are wished on, the strongest wish wins; at one level what runs already, then the first in the list. The
others are let off first: a start waits until every other member is proven off, and unknown counts as on. A running
member stops for another only if that one is *proven* on and is not ours to stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from controller.core.command import Priority
from controller.core.point import PointId
from controller.core.text import Text


class Standing(NamedTuple):
    """A member in this scan.

    wish: what we are about to command, None where we leave it alone; priority: at which level. commanded: we have told
    it to be on, whether it shows or not. shown: on, off, or not known.
    """

    wish: bool | None
    commanded: bool
    shown: bool | None
    priority: Priority = Priority.SCHEDULE

    @property
    def runs(self) -> bool:
        return self.commanded or self.shown is True

    @property
    def may_be_on(self) -> bool:
        return self.commanded or self.shown is not False


class Rival(NamedTuple):
    """Why a member may not be on now. at_once: not even its minimum time keeps it on. stops: else it only blocks our
    start, and what is not known to be off is left alone."""

    reason: Text
    at_once: bool
    stops: bool = True


def rivals(standings: Mapping[PointId, Standing]) -> dict[PointId, Rival]:
    """The members of one exclusion that are wished on and may not be. Pure."""
    wished = [point for point, each in standings.items() if each.wish]
    if not wished:
        return {}
    chosen = min(wished, key=lambda point: _rank(standings[point]))
    found = {point: _gives_way(standings[point], chosen, standings[chosen]) for point in wished if point != chosen}
    others = {point: each for point, each in standings.items() if point != chosen}
    forbidden = _stopped_by(others) if standings[chosen].runs else _not_started_by(others)
    if forbidden is not None:
        found[chosen] = forbidden
    return found


def _rank(standing: Standing) -> tuple[int, bool]:
    return (standing.priority, not standing.runs)


def _gives_way(standing: Standing, chosen: PointId, winner: Standing) -> Rival:
    both_are_on = standing.runs and winner.shown is True
    return Rival(
        Text(f"off: gives way to {chosen}, both may not be on", f"关闭: 让位于 {chosen}, 两者不得同时开启"),
        both_are_on or winner.priority.is_protective,
    )


def _stopped_by(others: Mapping[PointId, Standing]) -> Rival | None:
    for point, each in others.items():
        if each.shown is True and each.wish is None:
            return Rival(
                Text(f"stopped: {point} is on, both may not be", f"停止: {point} 已开启, 两者不得同时开启"),
                at_once=True,
            )
    return None


def _not_started_by(others: Mapping[PointId, Standing]) -> Rival | None:
    for point, each in others.items():
        if each.may_be_on:
            state, state_zh = ("is on", "已开启") if each.runs else ("is not proven off", "未确认关闭")
            reason = Text(
                f"not started: {point} {state}, both may not be on",
                f"不启动: {point} {state_zh}, 两者不得同时开启",
            )
            return Rival(reason, at_once=True, stops=False)
    return None
