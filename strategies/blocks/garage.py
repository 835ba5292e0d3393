"""What a garage is, group by group: places that keep a floor of their own, and what lamps give at full brightness."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from annotated_types import Ge, Gt, Le

from controller.core.text import Text
from strategies.blocks.lux_floor import MARGIN

Fraction: TypeAlias = Annotated[float, Gt(0), Le(1)]
Group: TypeAlias = Annotated[int, Ge(1)]
PlaceKind: TypeAlias = Literal["entrance", "ramp", "stairs", "charging_bay"]

KEEPS_ITS_FLOOR: dict[PlaceKind, Text] = {
    "entrance": Text("an entrance keeps its own floor", "出入口保持自身下限"),
    "ramp": Text("a ramp keeps its own floor", "坡道保持自身下限"),
    "stairs": Text("stairs keep their own floor", "楼梯保持自身下限"),
    "charging_bay": Text("a charging bay keeps its own floor", "充电车位保持自身下限"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Groups that are never as dim as the rest: a brightness, an illuminance [lx], or both."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    kind: PlaceKind
    groups: tuple[Group, ...]
    brightness: Fraction | None = None
    illuminance: Annotated[float, Gt(0)] | None = None

    def __post_init__(self) -> None:
        if self.brightness is None and self.illuminance is None:
            raise ValueError(f"the {self.kind} has no floor; write its brightness, its illuminance or both")


@dataclass(frozen=True, slots=True)
class LampRow:
    """full_illuminance: what the lamps of these groups give at full brightness on the floor, aged as they are [lx]."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    groups: tuple[Group, ...]
    full_illuminance: Annotated[float, Gt(0)]


def brightness_for(illuminance: float, full: float) -> float:
    """What gives an illuminance [lx], with the margin of a measured floor, in whole thousandths and at most 1.

    >>> brightness_for(65.0, 140.0)
    0.488
    """
    return min(1.0, math.ceil(illuminance * (1.0 + MARGIN) / full * 1000.0) / 1000.0)


def full_illuminance(table: Iterable[LampRow], number: int) -> float | None:
    """The lamp table's entry [lx]; where a group is named twice the lower one holds."""
    return min((row.full_illuminance for row in table if number in row.groups), default=None)


def own_illuminance(places: Iterable[Place], number: int) -> float:
    """The illuminance [lx] that the places of a group ask for, 0 where none does."""
    return max((place.illuminance or 0.0 for place in places if number in place.groups), default=0.0)


def own_floor(places: Iterable[Place], number: int, full: float | None) -> tuple[float, Text | None]:
    """The brightness below which a group never falls because of what it is, and why; 0 where nothing asks for one."""
    found: tuple[float, Text | None] = (0.0, None)
    for place in places:
        if number in place.groups:
            by_table = brightness_for(place.illuminance, full) if place.illuminance and full else 0.0
            floor = max(place.brightness or 0.0, by_table)
            if floor > found[0]:
                found = floor, KEEPS_ITS_FLOOR[place.kind]
    return found


def missing_groups(name: str, rows: Sequence[Collection[int]], bound: int) -> Iterator[str]:
    """What is wrong with rows of group numbers, if they name groups that are not there."""
    for place, numbers in enumerate(rows, start=1):
        if numbers and max(numbers) > bound:
            yield f"{name}.{place}: group {max(numbers)} is not there; {bound} groups are bound, from 1"
