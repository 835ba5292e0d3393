"""Commands of people: at level 8, always with an end, refused where we have no authority."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from controller.core.command import Command, Priority
from controller.core.point import Point, PointId, ValueType
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.control import Control
from controller.runtime.places import writable_of
from controller.runtime.scan import Scan


class OperatorCommandRefused(Exception):
    """Why an operator's command is not taken; never queued."""


class Operator:
    def __init__(
        self,
        scan: Scan,
        clock: Clock,
        authority: Mapping[str, Authority],
        why_not: Callable[[str], Text | None],
    ) -> None:
        """why_not: why an equipment may not be commanded by anybody."""
        self._why_not = why_not
        self._scan = scan
        self._clock = clock
        self._authority = authority

    def command(self, point: PointId, value: Scalar, lasting: timedelta, who: str, reason: str) -> Command:
        control = self.require_authority(point)
        if lasting <= timedelta(0):
            raise OperatorCommandRefused("a command needs an end in the future, such as --for 30min")
        command = Command(
            point,
            _fitting(value, control.point),
            Priority.MANUAL_OPERATOR,
            f"operator:{who}",
            self._clock.monotonic() + lasting.total_seconds(),
            Text(reason, reason),
        )
        control.array = control.array.with_command(command)
        self._scan.request_early()
        return command

    def require_authority(self, point: PointId) -> Control:
        """Raises OperatorCommandRefused where people cannot command the point through us."""
        control = self._control(point)
        if self._authority[control.system.id] is Authority.ORIGINAL:
            system = control.system.id
            raise OperatorCommandRefused(
                f"system {system} is under its original controls; give it to Tidewatt first: "
                f"tidewatt authority SITE {system} tidewatt (or, to test it: {system} commissioning --for 2h)"
            )
        why_not = self._why_not(control.point.equipment)
        if why_not is not None:
            raise OperatorCommandRefused(f"{control.point.equipment} is not in auto: {why_not.en}")
        return control

    def relinquish(self, point: PointId) -> bool:
        """Take the operator's command back; answers whether there was one."""
        control = self._control(point)
        held = control.array.held_at(Priority.MANUAL_OPERATOR)
        if held is None:
            return False
        control.array = control.array.without(Priority.MANUAL_OPERATOR, held.source)
        self._scan.request_early()
        return True

    def _control(self, point: PointId) -> Control:
        control = self._scan.controls.get(point)
        if control is not None:
            return control
        if point in self._scan.handshakes:
            raise OperatorCommandRefused(f"{point} is set by Tidewatt itself when it takes over or hands back")
        raise OperatorCommandRefused(f"{point} is not a writable point of this site")


def _fitting(value: Scalar, point: Point) -> Scalar:
    """The value in the point's own type; refused where it cannot be that."""
    if point.type is ValueType.BOOLEAN:
        if value in (0, 1):
            return bool(value)
        raise OperatorCommandRefused(f"{point.id} is on or off: give true or false")
    if point.states and value not in point.states:
        raise OperatorCommandRefused(f"{point.id} is one of: {', '.join(point.states)}")
    if point.type is not ValueType.TEXT and (isinstance(value, (bool, str))):
        raise OperatorCommandRefused(f"{point.id} is a number in {point.unit}")
    limits = writable_of(point).range
    if not isinstance(value, str) and not limits.holds(float(value)):
        raise OperatorCommandRefused(f"{point.id} takes {limits.low:g} to {limits.high:g} {point.unit}, not {value:g}")
    return value
