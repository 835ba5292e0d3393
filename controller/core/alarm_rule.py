"""What makes an alarm: a value beyond a limit, a value that equals another, a sample that is no good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from controller.core.alarm import AlarmId, Behaviour, Wording
from controller.core.point import PointId
from controller.core.sample import Quality, Sample, Scalar, as_number
from controller.core.system import Condition


@dataclass(frozen=True, slots=True)
class Above:
    """Begins above `limit` and is over at or below `limit - deadband`, in the point's unit."""

    limit: float
    deadband: float = 0.0

    def holds(self, sample: Sample, *, held: bool) -> bool:
        value = _number(sample)
        if value is None:
            return held
        return value > (self.limit - self.deadband if held else self.limit)


@dataclass(frozen=True, slots=True)
class Below:
    """Begins below `limit` and is over at or above `limit + deadband`, in the point's unit."""

    limit: float
    deadband: float = 0.0

    def holds(self, sample: Sample, *, held: bool) -> bool:
        value = _number(sample)
        if value is None:
            return held
        return value < (self.limit + self.deadband if held else self.limit)


@dataclass(frozen=True, slots=True)
class Equals:
    value: Scalar

    def holds(self, sample: Sample, *, held: bool) -> bool:
        return held if sample.quality is Quality.BAD else sample.value == self.value


@dataclass(frozen=True, slots=True)
class IsBad:
    """The sample is BAD."""

    def holds(self, sample: Sample, *, held: bool) -> bool:
        del held
        return sample.quality is Quality.BAD


Test: TypeAlias = Above | Below | Equals | IsBad
"""Where the value is not known, whatever held before still does: only IsBad speaks of that."""


@dataclass(frozen=True, slots=True)
class PointRule:
    """An alarm on a point. only_while: suppressed by design where this is known not to hold. only_in_auto: while the
    point's equipment is locked out, out of service, tripped or in local, too."""

    name: str
    point: PointId
    test: Test
    behaviour: Behaviour
    wording: Wording
    only_while: Condition | None = None
    only_in_auto: bool = False

    @property
    def alarm(self) -> AlarmId:
        return AlarmId(self.point, self.name)

    def is_meant(self, sample: Sample | None) -> bool:
        """Whether the alarm means something now. sample: of the point of `only_while`."""
        if self.only_while is None or sample is None or not sample.is_good:
            return True
        return self.only_while.holds(sample)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Another behaviour or wording for alarms that are there without any rule, on some subjects or on all.

    subjects: empty for all of them. Empty words of `wording` leave what is there.
    """

    name: str
    subjects: frozenset[str]
    behaviour: Behaviour
    wording: Wording

    def fits(self, alarm: AlarmId) -> bool:
        return alarm.name == self.name and (not self.subjects or alarm.subject in self.subjects)


def _number(sample: Sample) -> float | None:
    return None if sample.quality is Quality.BAD else as_number(sample.value)
