"""One measurement of what a device does when we fall silent: what is known of it, and what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from controller.core.commissioning import Item, Record
from controller.core.point import PointId
from controller.core.sample import Scalar
from controller.core.silence import Dropped
from controller.core.text import NO_TEXT, Text
from controller.runtime.commissioning import body_of
from controller.runtime.shown import Json, text

# A device that has not dropped us by then does not do what is declared.
WATCHED_TIMES, WATCHED_BEYOND_S = 2.0, 10.0


class SilenceRefused(Exception):
    """Why silence cannot be measured here, or now."""


class Aborted(Exception):
    """The measurement says nothing: `why` tells it to people."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.why = Text(en, zh)


class Phase(StrEnum):
    TAKING = "taking"
    SILENT = "silent"
    LETTING_GO = "letting go"
    DONE = "done"
    ABORTED = "aborted"


@dataclass
class Measurement:
    """What is known of the one that runs, or ran last. wishes: what is commanded meanwhile. watched: what the device is
    to drop. seconds: of silence so far, on the wire."""

    item: Item
    who: str
    declared: float
    wishes: Mapping[PointId, Scalar]
    watched: tuple[PointId, ...]
    phase: Phase = Phase.TAKING
    seconds: float = 0.0
    dropped: dict[PointId, Dropped] = field(default_factory=dict[PointId, Dropped])
    record: Record | None = None
    note: Text = NO_TEXT

    @property
    def is_over(self) -> bool:
        return self.phase in (Phase.DONE, Phase.ABORTED)

    @property
    def limit(self) -> float:
        """Seconds of silence after which it is given up."""
        return WATCHED_TIMES * self.declared + WATCHED_BEYOND_S

    @property
    def source(self) -> str:
        """Whose the commands are."""
        return f"{self.who}, commissioning"


def shown_measurement(each: Measurement | None) -> Json | None:
    """The measurement of silence that runs, or ran last; None where there was none. Times in seconds of the wire."""
    if each is None:
        return None
    return {
        "item": each.item.id,
        "phase": each.phase.value,
        "seconds": round(each.seconds, 1),
        "declared_s": each.declared,
        "limit_s": each.limit,
        "commanded": {str(point): value for point, value in each.wishes.items()},
        "dropped": {
            str(point): None if point not in each.dropped else round(each.dropped[point].by, 1)
            for point in each.watched
        },
        "note": text(each.note),
        "record": None if each.record is None else body_of(each.record),
    }
