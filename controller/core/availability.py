"""Whether a piece of equipment may be commanded, who or what says otherwise, and when it may be again. Pure.

Anything but auto is neither commanded nor counted as available. Each input is a statement about its equipment; what
they say together is remembered, so that silence is never taken for a machine that is back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from controller.core.point import Point, PointId
from controller.core.sample import LOCAL_OVERRIDE, OUT_OF_SERVICE, Sample, Scalar
from controller.core.text import NO_TEXT, Text


class Availability(StrEnum):
    """In the order of precedence: of several the first is told first."""

    LOCKED_OUT = "locked_out"
    OUT_OF_SERVICE = "out_of_service"
    TRIPPED = "tripped"
    LOCAL = "local"
    UNKNOWN = "unknown"
    AUTO = "auto"


_PRECEDENCE = {each: place for place, each in enumerate(Availability)}

# Silence this long makes a machine that was in auto unknown: a bus that stumbles over a few polls does not.
SILENT_FOR_S = 60.0
# A selector passes through its other positions, and whoever turned it still stands at the machine.
BACK_AFTER_S: Mapping[Availability, float] = {Availability.LOCAL: 30.0, Availability.OUT_OF_SERVICE: 30.0}
# A motor must cool, and whoever reset it wants to see it run under its own controls first.
RESET_FOR_S = 300.0
# As often within this time, and no machine is put back by anybody but a person: what trips again and again is broken.
TRIPS_ALLOWED, TRIPS_WITHIN = 3, timedelta(hours=24)

AT_ONCE = frozenset({Availability.LOCAL, Availability.TRIPPED, Availability.OUT_OF_SERVICE})
"""What does not follow us anyway: holding on to it in the order of release would keep nothing running."""


PUT_ASIDE = frozenset({Availability.LOCKED_OUT, Availability.OUT_OF_SERVICE, Availability.TRIPPED, Availability.LOCAL})
"""Somebody or the machine itself says that it is not ours; silence says nothing of the kind."""


class Cause(NamedTuple):
    """One reason why equipment is not in auto."""

    availability: Availability
    reason: Text


class Lockout(NamedTuple):
    """A person's lock; it has no end. since: aware UTC."""

    equipment: str
    who: str
    reason: str
    since: datetime

    @property
    def cause(self) -> Cause:
        return Cause(
            Availability.LOCKED_OUT,
            Text(f"locked out by {self.who}: {self.reason}", f"由 {self.who} 锁定：{self.reason}"),
        )


class Standing(NamedTuple):
    """How equipment stands: every cause, the strongest first; none is auto."""

    causes: tuple[Cause, ...] = ()

    @property
    def availability(self) -> Availability:
        return self.causes[0].availability if self.causes else Availability.AUTO

    @property
    def reason(self) -> Text:
        said = [each.reason for each in self.causes]
        return Text("; ".join(each.en for each in said), "；".join(each.zh for each in said)) if said else NO_TEXT

    @property
    def goes_at_once(self) -> bool:
        return any(each.availability in AT_ONCE for each in self.causes)


IN_AUTO = Standing()


def standing_of(causes: Iterable[Cause]) -> Standing:
    return Standing(tuple(sorted(causes, key=lambda each: _PRECEDENCE[each.availability])))


# --- what the inputs say ----------------------------------------------------------------------------------------------

_LOCAL = Text("in local or hand at the machine", "设备处于就地或手动")
_OFF = Text("switched off at the machine", "设备选择开关处于停止位")
_TRIPPED = Text("tripped", "已跳闸")

# Quantities by which equipment tells it, and what each says of a value: None is nothing against auto.
_SAYS: Mapping[str, Mapping[Scalar, Cause]] = {
    "tripped": {True: Cause(Availability.TRIPPED, _TRIPPED)},
    "local": {True: Cause(Availability.LOCAL, _LOCAL)},
    "auto_status": {False: Cause(Availability.LOCAL, _LOCAL)},
    "hand_auto_status": {"hand": Cause(Availability.LOCAL, _LOCAL), "off": Cause(Availability.LOCAL, _OFF)},
}


class Watched(NamedTuple):
    """The points by which one piece of equipment is known: its inputs by quantity, and those whose own device may say
    that writing to them is in vain."""

    inputs: tuple[tuple[str, PointId], ...]
    written: tuple[PointId, ...]


def watched(points: Iterable[Point]) -> Watched:
    """points: all of one piece of equipment."""
    mine = tuple(points)
    written: dict[PointId, None] = {}
    for point in mine:
        if point.writable is not None:
            written |= dict.fromkeys((point.id, point.writable.readback))
    inputs = tuple((point.quantity, point.id) for point in mine if point.quantity in _SAYS)
    return Watched(inputs, tuple(written))


class Said(NamedTuple):
    """silent: an input that does not say; empty where all do."""

    causes: tuple[Cause, ...]
    silent: Text = NO_TEXT


def said(watch: Watched, samples: Mapping[PointId, Sample]) -> Said:
    """What the inputs say now."""
    causes: dict[Cause, None] = {}
    silent = NO_TEXT
    for quantity, point in watch.inputs:
        sample = samples[point]
        if sample.is_good and sample.value is not None:
            cause = _SAYS[quantity].get(sample.value)
        else:
            cause = _of_device(point, sample)
            if cause is None:
                silent = Text(f"{point} is not known: {sample.reason}", f"{point} 未知：{sample.reason}")
        if cause is not None:
            causes[cause] = None
    for point in watch.written:
        cause = _of_device(point, samples[point])
        if cause is not None:
            causes[cause] = None
    return Said(tuple(causes), silent)


def _of_device(point: PointId, sample: Sample) -> Cause | None:
    """What a device says against its own point (ASHRAE 135, 12: Out_Of_Service and Status_Flags; OPC UA Part 8)."""
    if sample.reason == OUT_OF_SERVICE:
        return Cause(
            Availability.OUT_OF_SERVICE, Text(f"{point} is out of service at its device", f"{point} 在其设备中已停用")
        )
    if sample.reason == LOCAL_OVERRIDE:
        return Cause(Availability.LOCAL, Text(f"{point} is overridden at its device", f"{point} 在其设备上被就地强制"))
    return None


# --- what is remembered of it -----------------------------------------------------------------------------------------


class Memory(NamedTuple):
    """What counts, from what the inputs said up to now.

    clear_since: monotonic, since when they say auto while `causes` still count. silent_since: since when one of them
    does not say. trips: of the last TRIPS_WITHIN, aware UTC. is_new: nothing has been heard yet.
    """

    causes: tuple[Cause, ...] = ()
    clear_since: float | None = None
    silent_since: float | None = None
    trips: tuple[datetime, ...] = ()
    is_new: bool = True

    @property
    def is_settled(self) -> bool:
        """Whether time alone changes nothing."""
        return self.clear_since is None and self.silent_since is None

    @property
    def has_tripped(self) -> bool:
        return any(each.availability is Availability.TRIPPED for each in self.causes)

    @property
    def needs_a_person(self) -> bool:
        return self.has_tripped and len(self.trips) >= TRIPS_ALLOWED


def heard(before: Memory, now_said: Said, monotonic: float, now: datetime) -> Memory:
    """What counts after the inputs have said this. now: aware UTC."""
    memory = before._replace(is_new=False)
    if now_said.causes:
        memory = memory._replace(causes=now_said.causes, clear_since=None, silent_since=None)
        if before.has_tripped:
            # A machine that is taken in hand has not been put back by that.
            kept = (each for each in before.causes if each.availability is Availability.TRIPPED)
            return memory if memory.has_tripped else memory._replace(causes=(*kept, *memory.causes))
        return _tripped_now(memory, now) if memory.has_tripped else memory
    if now_said.silent.en:
        return _silent(memory, now_said.silent, monotonic, is_new=before.is_new)
    return _clear(memory._replace(silent_since=None), monotonic)


def forgiven(memory: Memory) -> Memory:
    """A person says that it may be tried again: what no longer stands in the way is forgotten at once."""
    clear_since = None if memory.clear_since is None else -float("inf")
    return memory._replace(trips=(), clear_since=clear_since)


def _tripped_now(memory: Memory, now: datetime) -> Memory:
    # A wall clock that was set back makes no trip undone.
    recent = tuple(each for each in memory.trips if abs(now - each) <= TRIPS_WITHIN)
    return memory._replace(trips=(*recent, now)[-TRIPS_ALLOWED:])


def _silent(memory: Memory, silent: Text, monotonic: float, *, is_new: bool) -> Memory:
    """Silence ends nothing; what was in auto is unknown after a while, and what was never heard is at once."""
    since = monotonic if memory.silent_since is None else memory.silent_since
    memory = memory._replace(clear_since=None, silent_since=since)
    was_auto = not memory.causes
    if was_auto and (is_new or monotonic - since >= SILENT_FOR_S):
        return memory._replace(causes=(Cause(Availability.UNKNOWN, silent),))
    return memory


def _clear(memory: Memory, monotonic: float) -> Memory:
    if not memory.causes:
        return memory._replace(clear_since=None)
    since = monotonic if memory.clear_since is None else memory.clear_since
    waits = max(_back_after(each.availability) for each in memory.causes)
    if memory.needs_a_person or monotonic - since < waits:
        return memory._replace(clear_since=since)
    return memory._replace(causes=(), clear_since=None)


def _back_after(availability: Availability) -> float:
    return RESET_FOR_S if availability is Availability.TRIPPED else BACK_AFTER_S.get(availability, 0.0)


_AGAIN = Text(
    f"tripped {TRIPS_ALLOWED} times in {TRIPS_WITHIN.total_seconds() / 3600:g} h; a person has to say: try again",
    f"{TRIPS_WITHIN.total_seconds() / 3600:g} 小时内跳闸 {TRIPS_ALLOWED} 次；须由人员确认后重试",
)
_RESET = Text("was tripped; waits whether it stays well", "曾跳闸；观察其是否恢复正常")
_BACK = Text("was not in auto; waits whether it stays there", "曾非自动；观察其是否保持自动")


def causes_told(memory: Memory) -> tuple[Cause, ...]:
    """The causes that count, each in the words that fit now."""
    return tuple(each._replace(reason=_told(each, memory)) for each in memory.causes)


def _told(cause: Cause, memory: Memory) -> Text:
    if cause.availability is Availability.TRIPPED and memory.needs_a_person:
        return _AGAIN
    if memory.clear_since is None or cause.availability is Availability.UNKNOWN:
        return cause.reason
    return _RESET if cause.availability is Availability.TRIPPED else _BACK
