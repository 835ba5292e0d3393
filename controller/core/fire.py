"""Fire alarm interlocking (消防联动): what a fire input means for lights, ventilation and the cooling plant. Pure.

The words are those of NFPA 72 and GB 50116: the panel gives an alarm signal, and a person resets. The panel's own
hard-wired actions come first and are the site's; what is here only keeps Tidewatt out of their way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from controller.core.inhibition import Inhibition, combined
from controller.core.point import PointId
from controller.core.sample import Quality, Sample, Scalar
from controller.core.text import Text

# What said fire or was lost counts so until it has been clear for so long: an input that comes and goes moves no lamp.
STEADY_S = 10.0

_RELEASED = Text(
    "fire: let go, not written until somebody resets it (tidewatt fire SITE reset)",
    "消防联动：已释放，人工复位前不写入 (tidewatt fire SITE reset)",
)
_KEPT = Text(
    "the fire input is lost: what is held stays as it is, nothing new is commanded",
    "火警输入失效：保持现状，不下达新命令",
)


@dataclass(frozen=True, slots=True)
class FireInput:
    """active: what the point shows in a fire; false for a contact that is normally closed.

    lights: go to full and cannot be dimmed. ventilation: let go at once. plant: let go in the order of its system.
    """

    point: PointId
    active: Scalar
    lights: tuple[PointId, ...] = ()
    ventilation: tuple[PointId, ...] = ()
    plant: tuple[PointId, ...] = ()


class Signal(StrEnum):
    FIRE = "fire"
    CLEAR = "clear"
    LOST = "lost"


class FireState(StrEnum):
    NORMAL = "normal"
    FIRE = "fire"
    WAITING = "waiting for reset"
    LOST = "fire input lost"


def signal_of(sample: Sample, active: Scalar) -> Signal:
    """A value in doubt that says fire is a fire; one in doubt that says otherwise is none that may be relied on."""
    if sample.quality is not Quality.BAD and sample.value == active:
        return Signal.FIRE
    return Signal.CLEAR if sample.is_good else Signal.LOST


class Standing(NamedTuple):
    """is_latched: there was a fire, and nobody has reset it. clear_since: monotonic, while that may be over."""

    is_latched: bool = False
    signal: Signal = Signal.CLEAR
    clear_since: float | None = None

    @property
    def state(self) -> FireState:
        if self.signal is Signal.FIRE:
            return FireState.FIRE
        if self.signal is Signal.LOST:
            return FireState.LOST
        return FireState.WAITING if self.is_latched else FireState.NORMAL

    @property
    def lights_up(self) -> bool:
        """Lights stay up until the reset, too: people are on their way out for longer than a panel is in alarm."""
        return self.is_latched or self.signal is not Signal.CLEAR


def seen(standing: Standing, signal: Signal, monotonic: float) -> Standing:
    """The standing after the input has shown `signal`."""
    if signal is Signal.FIRE:
        return Standing(is_latched=True, signal=Signal.FIRE)
    if signal is Signal.LOST:
        return Standing(standing.is_latched, Signal.LOST)
    if standing.signal is not Signal.CLEAR:
        since = monotonic if standing.clear_since is None else standing.clear_since
        if monotonic - since < STEADY_S:
            return standing._replace(clear_since=since)
    return Standing(standing.is_latched, Signal.CLEAR)


def lit_by(inputs: Iterable[FireInput], standings: Mapping[PointId, Standing]) -> dict[PointId, FireInput]:
    """The lights that are to be full, each with the input that says so; a fire before what waits or is lost."""
    urgency = [FireState.FIRE, FireState.WAITING, FireState.LOST]
    up = [each for each in inputs if standings[each.point].lights_up]
    up.sort(key=lambda each: urgency.index(standings[each.point].state), reverse=True)
    return {point: each for each in up for point in each.lights}


def inhibited_by(inputs: Iterable[FireInput], standings: Mapping[PointId, Standing]) -> dict[PointId, Inhibition]:
    """What nobody may command now, by all inputs together."""
    found: dict[PointId, Inhibition] = {}

    def inhibit(points: Iterable[PointId], inhibition: Inhibition) -> None:
        for point in points:
            found[point] = combined(found[point], inhibition) if point in found else inhibition

    for each in inputs:
        standing = standings[each.point]
        if standing.is_latched:
            inhibit(each.ventilation, Inhibition(_RELEASED, at_once=True))
            inhibit(each.plant, Inhibition(_RELEASED))
        elif standing.signal is Signal.LOST:
            inhibit(each.ventilation, Inhibition(_KEPT, keeps=True))
    return found
