"""What to command so that a device has something to drop when we fall silent: machines at what they do already."""

from __future__ import annotations

import math
from collections.abc import Mapping

from controller.core.command import Command, Priority
from controller.core.guard import guard
from controller.core.handover import Lifeline, Machine, lifelines_of, machines_of
from controller.core.ledger import Holding
from controller.core.point import Point, PointId, PointKind, ValueType, same_value
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.text import NO_TEXT
from controller.runtime.image import Image
from controller.runtime.operator import Operator
from controller.runtime.places import writable_of
from controller.runtime.silence_measurement import Measurement, SilenceRefused


class SilenceWishes:
    """holdings: what is ours at the devices. machines: by remote bit; lifelines: by heartbeat."""

    def __init__(
        self, site: Site, clock: Clock, operator: Operator, image: Image, holdings: Mapping[PointId, Holding]
    ) -> None:
        self._site = site
        self._clock = clock
        self._operator = operator
        self._image = image
        self._holdings = holdings
        writables = [point for point in site.points.values() if point.writable is not None]
        self.machines = {machine.remote: machine for machine in machines_of(writables)}
        self.lifelines = {lifeline.heartbeat: lifeline for lifeline in lifelines_of(writables)}

    def of(self, subject: PointId, value: Scalar | None) -> dict[PointId, Scalar]:
        """What to command so that there is something to drop: every machine at what it does already."""
        if subject in self.lifelines:
            return self._wishes_on(self.lifelines[subject])
        if subject in self.machines:
            return self._wishes_of(self.machines[subject])
        if value is None:
            raise SilenceRefused(
                f"what the device does with {subject} shows only if it is held at another value than its own: --value"
            )
        present = self._image.present[writable_of(self._site.points[subject]).readback]
        if subject not in self._holdings and present.is_good and same_value(present.value, value, 0.0):
            raise SilenceRefused(f"{subject} is {value} by itself; give another value")
        return {subject: value}

    def _wishes_on(self, lifeline: Lifeline) -> dict[PointId, Scalar]:
        """Of the machines that are held already; of all of them where none is."""
        machines = [each for each in self.machines.values() if each.remote in lifeline.points]
        if not machines:
            raise SilenceRefused(f"no machine with a remote bit hangs on {lifeline.heartbeat}: nothing shows its end")
        held = [each for each in machines if each.remote in self._holdings]
        wishes: dict[PointId, Scalar] = {}
        for machine in held or machines:
            wishes.update(self._wishes_of(machine))
        return wishes

    def _wishes_of(self, machine: Machine) -> dict[PointId, Scalar]:
        """Its commands, and the setpoints that are held; of a machine without commands all its setpoints."""
        held = tuple(point for point in machine.setpoints if point in self._holdings)
        points = (*machine.commands, *held) if machine.commands else machine.setpoints
        return {point: self._present_value(point) for point in points}

    def _present_value(self, point: PointId) -> Scalar:
        """What it is held at, or what the equipment does by itself; refused where that is not known."""
        control = self._operator.require_authority(point)
        holding = self._holdings.get(point)
        if holding is not None and not holding.releasing:
            return holding.value
        value = self._value_by_itself(control.point)
        command = Command(point, value, Priority.MANUAL_OPERATOR, "", math.inf, NO_TEXT)
        permissives = [(each, self._image.present[each.condition.point]) for each in control.permissives]
        allowed = guard(command, control.point, control.memory, permissives, self._clock.monotonic())
        effect = control.writable.effect
        tolerance = max(control.writable.tolerance, 0.0 if effect is None else effect.tolerance)
        if not same_value(allowed.value, value, tolerance):
            # The value that a limit puts in its place would move the equipment.
            raise SilenceRefused(f"{point} cannot be held at what it does, {value}: {allowed.limit.en}")
        return value

    def _value_by_itself(self, point: Point) -> Scalar:
        """Of equipment that is not ours. A command register says nothing of it: it may have what we wrote last."""
        writable = writable_of(point)
        effect = writable.effect
        shown_at = writable.readback
        if effect is not None and self._site.points[effect.point].type is point.type:
            shown_at = effect.point
        elif point.kind is PointKind.COMMAND and point.type in (ValueType.BOOLEAN, ValueType.TEXT):
            raise SilenceRefused(
                f"{point.id} cannot be held at what it does: no effect is declared that shows it; "
                f"command it first to what it does: tidewatt points SITE write {point.id} VALUE --for 30min"
            )
        sample = self._image.present[shown_at]
        if not sample.is_good or sample.value is None:
            why = sample.reason or "it is not known"
            raise SilenceRefused(f"{point.id} cannot be held at what it does: {why} ({shown_at})")
        if point.type in (ValueType.BOOLEAN, ValueType.TEXT) or isinstance(sample.value, str):
            return sample.value
        return writable.range.nearest(float(sample.value))

    def shows(self, point: PointId) -> PointId:
        """The point that the device drops: the machine's remote bit, or the point itself."""
        return next((each.remote for each in self.machines.values() if point in each.points), point)

    def touched(self, measurement: Measurement) -> set[PointId]:
        """Everything that the device may take for a sign of life: the machines, their bits, the heartbeat."""
        touched = set(measurement.watched)
        for machine in self.machines.values():
            if machine.remote in touched:
                touched.update(machine.points)
        subject = PointId(measurement.item.subject)
        if subject in self.lifelines:
            touched |= {subject, *self.lifelines[subject].points}
        return touched
