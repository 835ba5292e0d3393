"""What lamps have taken and whether they gave enough light, for the account of a simulated or a real site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from controller.core.sample import Scalar, as_number

Read: TypeAlias = Callable[[str], Scalar | None]

LIGHT_FLOOR = 30.0
"""Illuminance [lx] below which light is missed on a parking deck."""
OUTDOOR_FLOOR = 20.0
"""Light of the sky [lx] below which the ground outdoors needs its lamps."""
DESK_FLOOR = 135.0
"""Light [lx] below which it is too dark at a desk with somebody there: a tenth under the 150 lx of a lunch hour."""


@dataclass(frozen=True, slots=True)
class CountedLamps:
    """Counters of lamps by trade; of the outdoor lamps, what says that they are lit, and what tells the sky's light;
    of desks, illuminance and motion.
    """

    garage: tuple[str, ...]
    outdoors: tuple[str, ...]
    office: tuple[str, ...]
    lit: str
    sky: str
    desks: tuple[tuple[str, str], ...]


class LampLook(NamedTuple):
    """Counters by trade, None where one cannot be read; whether the outdoor lamps are lit; dark places; desks at which
    somebody is in the dark.
    """

    garage: float | None = None
    outdoors: float | None = None
    office: float | None = None
    lit: bool = False
    dark: int = 0
    dark_desks: tuple[bool, ...] = ()

    @property
    def has_gap(self) -> bool:
        return self.garage is None or self.outdoors is None or self.office is None

    def since(self, last: LampLook) -> LampLook:
        """With the last counters where there are none: what was counted meanwhile is counted by the next look."""
        return self._replace(
            garage=last.garage if self.garage is None else self.garage,
            outdoors=last.outdoors if self.outdoors is None else self.outdoors,
            office=last.office if self.office is None else self.office,
        )


def look_at_lamps(points: CountedLamps, decks: list[float], read: Read) -> LampLook:
    sky, lit = as_number(read(points.sky)), bool(read(points.lit))
    is_dark_outdoors = sky is not None and sky < OUTDOOR_FLOOR and not lit
    return LampLook(
        _sum(points.garage, read),
        _sum(points.outdoors, read),
        _sum(points.office, read),
        lit,
        len([each for each in decks if each < LIGHT_FLOOR]) + is_dark_outdoors,
        tuple(
            [
                bool(read(motion)) and (light := as_number(read(illuminance))) is not None and light < DESK_FLOOR
                for illuminance, motion in points.desks
            ]
        ),
    )


def _sum(names: tuple[str, ...], read: Read) -> float | None:
    known = numbers(names, read)
    return None if known is None else sum(known)


def numbers(names: Sequence[str], read: Read) -> list[float] | None:
    """What they read; None where one of them cannot be read."""
    known = [number for name in names if (number := as_number(read(name))) is not None]
    return known if len(known) == len(names) else None


def grown(before: float | None, now: float | None) -> float:
    return 0.0 if before is None or now is None else now - before


def dark_places(last: LampLook, look: LampLook) -> int:
    """Places. Who has just come to a desk is not counted: lamps need a scan, and the next look sees whether it came."""
    if not any(last.dark_desks):
        return last.dark
    desks = zip(last.dark_desks, look.dark_desks, strict=True)
    return last.dark + sum(before and now for before, now in desks)
