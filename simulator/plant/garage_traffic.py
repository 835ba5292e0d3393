"""Cars and people on the decks of a garage, as its motion sensors see them.

A car that arrives drives down through the decks above its own, parks there, and its people walk to the lift; who
leaves walks first and then drives up. Some people only walk: to fetch something, on a round. Numbers an hour are
assumptions for an office garage, shaped like the differences of the occupancy of plant/occupancy.py and scaled by the
cars of a day; they are no measurement. Every hour draws from its own seeded generator, so that what is seen at an
instant depends on seed and instant only.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple, TypeAlias

# Shares of a working day's cars [%], from midnight.
_ARRIVING = (0, 0, 0, 0, 0, 0.5, 4, 22, 34, 12, 4, 3, 3, 7, 4, 2, 1.5, 1, 1, 0.5, 0.5, 0, 0, 0)
_LEAVING = (0.5, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 4, 6, 3, 2, 3, 5, 20, 28, 11, 6, 3, 2, 0.5)
_AT_WEEKENDS = 0.15
"""Share of a working day's cars that come on a Saturday or Sunday, from nine to six."""
_WALKING = (1, 1, 1, 1, 1, 1, 2, 3, 3, 4, 4, 6, 8, 6, 4, 4, 4, 4, 3, 2, 2, 2, 1, 1)
"""People an hour who only walk."""
_DRIVE_S, _WALK_S = (15.0, 35.0), (40.0, 120.0)

Interval: TypeAlias = tuple[float, float]
"""(from, until) [s of the Unix epoch]."""


@dataclass(frozen=True, slots=True)
class GarageTraffic:
    """cars on a working day; decks, one below the other, with the share of the cars that parks on each [0..1]; hold_s:
    how long sensors stay on after they have seen somebody.
    """

    cars: float
    decks: tuple[float, ...]
    hold_s: float


class Passage(NamedTuple):
    """Somebody on a deck."""

    deck: int
    begin: float
    end: float


@lru_cache(maxsize=8)
def passages(traffic: GarageTraffic, seed: int, hour_index: int, weekday: int, hour: int) -> Sequence[Passage]:
    """Who is on which deck, of all journeys that begin in an hour (hours since the epoch; weekday and hour by local
    time). A journey may last into the next hour, when it is asked for again.
    """
    random = Random(f"{seed}/garage/{hour_index}")
    found: list[Passage] = []
    for rates, journey in ((_ARRIVING, _arrival), (_LEAVING, _departure)):
        rate = _cars(rates, weekday, hour) * traffic.cars
        for at in _times(random, rate, hour_index):
            found += journey(random, _deck(random, traffic), at)
    for at in _times(random, _WALKING[hour], hour_index):
        found.append(Passage(_deck(random, traffic), at, at + random.uniform(*_WALK_S)))
    return tuple(found)


def motion(passages: Sequence[Passage], traffic: GarageTraffic) -> tuple[tuple[Interval, ...], ...]:
    """When each deck's sensors see somebody: intervals apart from each other, in order of time."""
    decks: list[list[Interval]] = [[] for _ in traffic.decks]
    for deck, begin, end in sorted(passages, key=lambda each: each.begin):
        seen, until = decks[deck], end + traffic.hold_s
        if seen and begin <= seen[-1][1]:
            seen[-1] = (seen[-1][0], max(seen[-1][1], until))
        else:
            seen.append((begin, until))
    return tuple(tuple(each) for each in decks)


def is_seen(intervals: Sequence[Interval], epoch_s: float) -> bool:
    """Whether an instant lies in one of the intervals."""
    index = bisect_right(intervals, (epoch_s, float("inf"))) - 1
    return index >= 0 and epoch_s < intervals[index][1]


def _cars(rates: Sequence[float], weekday: int, hour: int) -> float:
    if weekday < 5:
        return rates[hour] / 100.0
    return _AT_WEEKENDS / 9.0 if 9 <= hour < 18 else 0.0


def _times(random: Random, rate: float, hour_index: int) -> list[float]:
    """Instants of a Poisson process with a rate [1/h] in an hour."""
    if rate <= 0.0:
        return []
    begin, end = hour_index * 3600.0, (hour_index + 1) * 3600.0
    times: list[float] = []
    at = begin + random.expovariate(rate / 3600.0)
    while at < end:
        times.append(at)
        at += random.expovariate(rate / 3600.0)
    return times


def _deck(random: Random, traffic: GarageTraffic) -> int:
    return random.choices(range(len(traffic.decks)), traffic.decks)[0]


def _arrival(random: Random, deck: int, at: float) -> list[Passage]:
    found: list[Passage] = []
    for passed in range(deck + 1):
        end = at + random.uniform(*_DRIVE_S)
        found.append(Passage(passed, at, end))
        at = end
    return [*found, Passage(deck, at, at + random.uniform(*_WALK_S))]


def _departure(random: Random, deck: int, at: float) -> list[Passage]:
    walked = at + random.uniform(*_WALK_S)
    found = [Passage(deck, at, walked)]
    at = walked
    for passed in range(deck, -1, -1):
        end = at + random.uniform(*_DRIVE_S)
        found.append(Passage(passed, at, end))
        at = end
    return found
