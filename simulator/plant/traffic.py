"""People and cars in a garage, and the motion sensors that see them.

Arrivals are a Poisson process with an hourly rate (tidal: in between 7 and 9, out between 17 and 20). Each passage
keeps the sensor busy for a drawn time plus the sensor's hold time. Rates are assumptions for an office garage, shaped
like the differences of the occupancy schedule of the DOE Large Office prototype; they are no measurement. Every hour
draws from its own seeded generator, so that what is seen at an instant depends on seed and instant only.
"""

from dataclasses import dataclass
from random import Random

# Passages an hour for a whole garage, from midnight.
_WORKING_DAY = (1, 1, 0.5, 0.5, 1, 3, 12, 60, 80, 30, 14, 18, 30, 26, 14, 12, 18, 50, 70, 36, 16, 10, 6, 3)
_WEEKEND = (1, 1, 0.5, 0.5, 0.5, 1, 2, 4, 6, 8, 8, 8, 8, 8, 7, 7, 7, 6, 5, 4, 3, 2, 2, 1)
_PASSAGE_S = (15.0, 60.0)


@dataclass(frozen=True, slots=True)
class TrafficModel:
    """share of the garage's passages that a group sees [0..1]; hold_s: hold time of its sensors [s]."""

    share: float
    hold_s: float


def passages(
    seed: int, group: int, model: TrafficModel, hour_index: int, weekday: int, hour: int
) -> list[tuple[float, float]]:
    """Times in which the sensors see someone, (from, until) [s of the Unix epoch], for passages that begin in an hour.

    Parameters: hour_index, hours since the epoch; weekday and hour by local time.

    """
    rate = (_WORKING_DAY if weekday < 5 else _WEEKEND)[hour] * model.share / 3600.0
    random = Random(f"{seed}/{group}/{hour_index}")
    start, end = hour_index * 3600.0, (hour_index + 1) * 3600.0
    found: list[tuple[float, float]] = []
    at = start + random.expovariate(rate)
    while at < end:
        found.append((at, at + random.uniform(*_PASSAGE_S) + model.hold_s))
        at += random.expovariate(rate)
    return found


class MotionSensors:
    """What the sensors of one group say at an instant; instants must not go back."""

    __slots__ = ("_answer", "_group", "_loaded", "_model", "_pending", "_seed", "_until", "unchanged_until")

    def __init__(self, seed: int, group: int, model: TrafficModel) -> None:
        self._seed = seed
        self._group = group
        self._model = model
        self._loaded: int = -1
        self._pending: list[tuple[float, float]] = []
        self._until = 0.0
        self._answer: tuple[bool, float] = (False, 0.0)
        self.unchanged_until: float = 0.0

    def seen(self, epoch_s: float, weekday: int, hour: int) -> tuple[bool, float]:
        """Whether there is motion now, and until when [s of the epoch] that answer holds at most."""
        if epoch_s < self.unchanged_until:
            return self._answer
        hour_index = int(epoch_s // 3600.0)
        if hour_index != self._loaded:
            self._loaded = hour_index
            self._pending += passages(self._seed, self._group, self._model, hour_index, weekday, hour)
        while self._pending and self._pending[0][0] <= epoch_s:
            self._until = max(self._until, self._pending.pop(0)[1])
        next_hour = (hour_index + 1) * 3600.0
        coming = self._pending[0][0] if self._pending else next_hour
        if epoch_s < self._until:
            self._answer = (True, min(self._until, next_hour))
            # Who comes meanwhile makes it last longer.
            self.unchanged_until = min(coming, self._until, next_hour)
        else:
            self._answer = (False, coming)
            self.unchanged_until = coming
        return self._answer
