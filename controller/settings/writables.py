"""How the points of a template are written, believed and let go, and what may not be so for safety's sake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple

from controller.core.equipment import Quantity
from controller.core.handover import HEARTBEAT_MODULUS
from controller.core.point import (
    EVERY_NUMBER,
    DeviceTimeout,
    Effect,
    Heartbeat,
    NothingHappens,
    OnSilence,
    Point,
    PointId,
    PointKind,
    Range,
    Release,
    ReleaseNull,
    RemoteBit,
    Restore,
    SafeValue,
    ValueType,
    Wear,
    Writable,
)
from controller.core.ports import DriverKind
from controller.core.sample import Scalar
from controller.settings.candidate import Candidate
from controller.settings.conversion import difference_inside, range_inside, value_inside
from controller.settings.document import Where
from controller.settings.limits import limits_of, wear_of
from controller.settings.problems import nearest, shown
from controller.settings.schema.endurance import WearEntry
from controller.settings.schema.templates import (
    DeviceTimeoutEntry,
    HeartbeatEntry,
    ReleaseEntry,
    RemoteBitEntry,
    RestoreEntry,
    SafeValueEntry,
    WritableEntry,
)

_ON_OFF = Range(0.0, 1.0)
_HEARTBEATS = Range(0.0, HEARTBEAT_MODULUS - 1.0)

_TYPE_ADVICE = {
    ValueType.BOOLEAN: "true or false",
    ValueType.INTEGER: "a whole number",
    ValueType.NUMBER: "a number",
    ValueType.TEXT: "a text",
}


def advice(what: Quantity | Point) -> str:
    """What a value may be."""
    return " or ".join(what.states) if what.states else _TYPE_ADVICE[what.type]


def is_value_of(value: Scalar, what: Quantity | Point) -> bool:
    """Whether a value, as it stands in a file, is one that the quantity or point may have."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match what.type:
        case ValueType.BOOLEAN:
            return isinstance(value, bool)
        case ValueType.TEXT:
            return isinstance(value, str) and (not what.states or value in what.states)
        case ValueType.INTEGER:
            return is_number and isinstance(value, int)
        case ValueType.NUMBER:
            return is_number


def plain(value: Scalar) -> str:
    """A value as it stands in a file."""
    return str(value).lower() if isinstance(value, bool) else shown(str(value))


class Wording(NamedTuple):
    """How the file at hand is spoken of. among: where the points stand that a point may lean on."""

    among: str
    add_range: str
    only_read: str


OF_TEMPLATE = Wording("in this template", "add range: [{}, {}]", "remove 'writable'")
OF_LIST = Wording(
    "in the rows of this device",
    "fill 'range_low' and 'range_high': {} and {}",
    "empty the columns that say how it is written",
)


@dataclass
class WritableCompiler:
    """candidates: of one template, by local name. declared: every local name in the file, the defective ones too.

    sheet: where limits stand that name no maker's sheet of their own.
    """

    candidates: Mapping[str, Candidate]
    declared: Collection[str]
    driver: DriverKind | None
    tell: Callable[[Where, str, str], None]
    words: Wording
    sheet: str = ""
    _silences: dict[str, timedelta] = field(default_factory=dict[str, timedelta])

    def compiled(self, point: Candidate, entry: WritableEntry) -> Writable | None:
        """The writable, its points named as the template does; None, with the problem told, if it is defective."""
        where = (*point.where, "writable")
        if point.quantity.kind not in (PointKind.SETPOINT, PointKind.COMMAND):
            self.tell(where, f"'{point.name}' is a {point.quantity.kind} and only read", self.words.only_read)
            return None
        allowed = self._allowed(point, where, entry)
        release = self._release(point, where, entry.release, allowed)
        on_silence = self._on_silence(point, where, entry)
        readback = self._alike(point, (*where, "readback"), entry.readback)
        effect = self._effect(point, where, entry)
        limits = limits_of(entry.limits, point, (*where, "limits"), self.sheet, self.tell)
        wear = None if entry.wear is None else self._wear(entry.wear, point, where, entry)
        if allowed is None or release is None or on_silence is None or readback is None:
            return None
        return Writable(
            allowed,
            release,
            on_silence,
            readback,
            tolerance=difference_inside(entry.tolerance, point.conversion),
            settle=entry.settle,
            effect=effect,
            limits=limits,
            wear=wear,
        )

    def _allowed(self, point: Candidate, where: Where, entry: WritableEntry) -> Range | None:
        place, on_off = (*where, "range"), point.quantity.type is ValueType.BOOLEAN
        if point.quantity.type is ValueType.TEXT:
            if entry.range is not None:
                right = f"remove it: '{point.name}' is one of {', '.join(point.quantity.states)}"
                self.tell(place, "a text has no range", right)
            return EVERY_NUMBER
        if entry.range is None:
            ends, unit = (("0", "1"), "") if on_off else (("lowest", "highest"), f" in {point.entry.unit}")
            right = f"{self.words.add_range.format(*ends)}{unit}"
            self.tell(where, f"'{point.name}' is writable without a range", right)
            return None
        found = self._range(point, place, entry.range)
        if on_off and found != _ON_OFF:
            self.tell(place, f"'{point.name}' is on or off, its range something else", "write range: [0, 1]")
        if point.plausible is not None and not _within(found, point.plausible):
            self.tell(place, "the range reaches beyond what is plausible", "widen 'plausible' or narrow 'range'")
        return found

    def _range(self, point: Candidate, where: Where, pair: tuple[float, float]) -> Range:
        if pair[0] >= pair[1]:
            self.tell(where, *upside_down(str(where[-1]), pair))
        return range_inside(pair, point.conversion)

    # --- letting go

    def _release(
        self, point: Candidate, where: Where, entry: ReleaseEntry | None, allowed: Range | None
    ) -> Release | None:
        place = (*where, "release")
        if entry is None:
            ways = "write_null, {remote_bit: ...}, {safe_value: ...} or {restore: [low, high]}"
            self.tell(where, f"'{point.name}' is writable without a release", f"add release: {ways}")
            return None
        if isinstance(entry, RemoteBitEntry):
            return self._remote_bit(point, (*place, "remote_bit"), entry.remote_bit)
        if isinstance(entry, SafeValueEntry):
            return self._safe_value(point, (*place, "safe_value"), entry.safe_value, allowed)
        if isinstance(entry, RestoreEntry):
            return self._restore(point, (*place, "restore"), entry.restore, allowed)
        if self.driver is not None and not self.driver.relinquishes:
            wrong = f"{self.driver.name} has no Null that could be written"
            self.tell(place, wrong, "let go by a remote_bit, a safe_value or, for a setpoint, restore")
        return ReleaseNull()

    def _remote_bit(self, point: Candidate, where: Where, target: str) -> Release | None:
        if not self._exists(where, target):
            return None
        bit = self.candidates.get(target)
        if target == point.local:
            self.tell(
                where, f"'{target}' is named as its own remote bit", "name the bit by which the device follows us"
            )
        elif bit is not None:
            self._check_bit(bit, where)
        return RemoteBit(PointId(target))

    def _check_bit(self, bit: Candidate, where: Where) -> None:
        writable = bit.entry.writable
        if writable is None or bit.quantity.type is not ValueType.BOOLEAN:
            self.tell(where, f"'{bit.local}' is no writable on/off point", "a remote bit is one that we set and clear")
            return
        release = writable.release
        if release is not None and not (isinstance(release, SafeValueEntry) and release.safe_value is False):
            place = (*bit.where, "writable", "release")
            self.tell(place, f"'{bit.local}' is a remote bit and not cleared on release", "write {safe_value: false}")

    def _safe_value(self, point: Candidate, where: Where, value: Scalar, allowed: Range | None) -> Release | None:
        converted = self._typed(point, where, value)
        if converted is None or allowed is None:
            return None
        if not allowed.holds(float(converted)):
            self.tell(where, f"the safe value {plain(value)} lies outside 'range'", "choose one inside the range")
        elif point.is_lamp and float(converted) != allowed.high:
            right = f"lights let go towards on: write {'true' if converted is False else 'the highest of the range'}"
            self.tell(where, f"released lamps would not be fully on but {plain(value)}", right)
        return SafeValue(converted)

    def _typed(self, point: Candidate, where: Where, value: Scalar) -> float | int | bool | None:
        """The value as the quantity's type has it, in our unit; None, with the problem told, if it has another."""
        kind = point.quantity.type
        if kind is ValueType.BOOLEAN and isinstance(value, bool):
            return value
        if kind is ValueType.INTEGER and isinstance(value, int) and not isinstance(value, bool):
            return value
        if kind is ValueType.NUMBER and isinstance(value, (int, float)) and not isinstance(value, bool):
            return value_inside(value, point.conversion)
        if kind is ValueType.TEXT:
            self.tell(where, f"'{point.name}' is a text", "let it go by write_null")
            return None
        self.tell(where, f"{plain(value)} does not fit the point", f"write {advice(point.quantity)}")
        return None

    def _restore(self, point: Candidate, where: Where, pair: tuple[float, float], allowed: Range | None) -> Release:
        within = self._range(point, where, pair)
        if point.quantity.kind is not PointKind.SETPOINT:
            right = "a command is let go by write_null, remote_bit or safe_value"
            self.tell(where, f"'{point.name}' is a command, and only setpoints can be restored", right)
        elif allowed is not None and not _within(within, allowed):
            self.tell(where, "the restored range reaches beyond 'range'", "keep it inside 'range'")
        return Restore(within)

    # --- silence

    def _on_silence(self, point: Candidate, where: Where, entry: WritableEntry) -> OnSilence | None:
        place, silence = (*where, "on_silence"), entry.on_silence
        if silence is None:
            ways = "{device_timeout: 30s}, {heartbeat: ..., after: 60s}, or none for setpoints that may stay for ever"
            self.tell(where, f"'{point.name}' is writable without on_silence", f"add on_silence: {ways}")
            return None
        if isinstance(silence, DeviceTimeoutEntry):
            return DeviceTimeout(silence.device_timeout)
        if isinstance(silence, HeartbeatEntry):
            return self._heartbeat(place, silence)
        if point.quantity.kind is PointKind.COMMAND and (self.driver is None or self.driver.lives_on):
            wrong = f"'{point.name}' is a command that nothing would end if we fell silent"
            self.tell(place, wrong, "name the device_timeout or heartbeat of the device; only setpoints may have none")
        return NothingHappens()

    def _heartbeat(self, place: Where, silence: HeartbeatEntry) -> OnSilence | None:
        where, target = (*place, "heartbeat"), silence.heartbeat
        if not self._exists(where, target):
            return None
        beat = self.candidates.get(target)
        if beat is not None:
            self._check_beat(beat, where)
        known = self._silences.setdefault(target, silence.after)
        if known != silence.after:
            wrong = f"'{target}' is missed after {known.total_seconds():g} s by others"
            self.tell((*place, "after"), wrong, "a device has one time after which it drops us")
        return Heartbeat(PointId(target), silence.after)

    def _check_beat(self, beat: Candidate, where: Where) -> None:
        writable = beat.entry.writable
        if writable is None or beat.quantity.type is not ValueType.INTEGER:
            self.tell(where, f"'{beat.local}' is no heartbeat", "name a writable whole number that the device watches")
        elif writable.range is not None and not _within(_HEARTBEATS, Range(*writable.range)):
            place = (*beat.where, "writable", "range")
            right = f"it counts from 0 to {_HEARTBEATS.high:g}: widen the range"
            self.tell(place, f"'{beat.local}' has no room to count", right)

    # --- believing

    def _alike(self, point: Candidate, where: Where, target: str | None) -> PointId | None:
        """The point at which a written value is seen again: of the same unit and type."""
        if target is None:
            return PointId(point.local)
        if not self._exists(where, target):
            return None
        other = self.candidates.get(target)
        here = point.quantity
        if other is not None and (other.quantity.unit, other.quantity.type) != (here.unit, here.type):
            wrong = f"'{target}' has another unit or type than '{point.name}'"
            self.tell(where, wrong, "name a point that comes to equal the written value")
        return PointId(target)

    def _effect(self, point: Candidate, where: Where, entry: WritableEntry) -> Effect | None:
        place = (*where, "effect", "point")
        if entry.effect is None:
            return None
        target = self._alike(point, place, entry.effect.point)
        if target is None:
            return None
        if target == point.local:
            self.tell(place, "the effect is looked for at the written point itself", "name another")
        return Effect(target, entry.effect.within, difference_inside(entry.effect.tolerance, point.conversion))

    # --- wear

    def _wear(self, wear: WearEntry, point: Candidate, where: Where, entry: WritableEntry) -> Wear:
        """A register that has to be written again and again by its nature cannot be spared."""
        place = (*where, "wear")
        if point.local in self._handshakes():
            wrong = f"'{point.name}' takes machines over or keeps them alive, and is never held back"
            self.tell(place, wrong, "remove 'wear'")
        elif isinstance(entry.on_silence, DeviceTimeoutEntry) and not isinstance(entry.release, RemoteBitEntry):
            after = entry.on_silence.device_timeout.total_seconds() / 2
            wrong = f"'{point.name}' is written every {after:g} s, because the device drops it"
            self.tell(place, wrong, "remove 'wear': what the device drops by itself lives in no memory that wears")
        return wear_of(wear, place, self.sheet, self.tell)

    def _handshakes(self) -> set[str]:
        """The remote bits and heartbeats of the template."""
        found: set[str] = set()
        for each in self.candidates.values():
            writable = each.entry.writable
            if writable is not None and isinstance(writable.release, RemoteBitEntry):
                found.add(writable.release.remote_bit)
            if writable is not None and isinstance(writable.on_silence, HeartbeatEntry):
                found.add(writable.on_silence.heartbeat)
        return found

    def _exists(self, where: Where, target: str) -> bool:
        if target in self.declared:
            return True
        wrong = f"there is no point '{shown(target)}' {self.words.among}"
        self.tell(where, wrong, nearest(target, self.declared, "points"))
        return False


def upside_down(name: str, pair: tuple[float, float]) -> tuple[str, str]:
    """What is told of a range whose first number is not the lower."""
    wrong = f"'{name}' runs from {pair[0]:g} to {pair[1]:g}"
    return wrong, "the lower number comes first and differs from the higher"


def _within(inner: Range, outer: Range) -> bool:
    return outer.holds(inner.low) and outer.holds(inner.high)


# --- local names to point ids -----------------------------------------------------------------------------------------


def references(writable: Writable) -> list[str]:
    """The points that a writable leans on."""
    found: list[str] = [writable.readback]
    if isinstance(writable.release, RemoteBit):
        found.append(writable.release.point)
    if isinstance(writable.on_silence, Heartbeat):
        found.append(writable.on_silence.point)
    if writable.effect is not None:
        found.append(writable.effect.point)
    return found


def placed(writable: Writable, ids: Mapping[str, PointId]) -> Writable:
    """The writable of one device; `ids` maps the local names that it leans on."""
    release, silence, effect = writable.release, writable.on_silence, writable.effect
    if isinstance(release, RemoteBit):
        release = RemoteBit(ids[release.point])
    if isinstance(silence, Heartbeat):
        silence = Heartbeat(ids[silence.point], silence.after)
    if effect is not None:
        effect = replace(effect, point=ids[effect.point])
    return replace(writable, release=release, on_silence=silence, readback=ids[writable.readback], effect=effect)
