"""What a site says of its equipment log, and which equipment is logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from controller.core.equipment import EQUIPMENT
from controller.core.maintenance import MaintenanceTask
from controller.core.point import Point, PointId, PointKind, ValueType
from controller.core.short_cycling import CyclingLimits
from controller.core.units import Unit

RUN_TIME, STARTS = "run_time", "starts"
# A tenth of an hour, as hour meters have it: strategies that lean on it are not asked anew with every second.
RUN_TIME_STEP_S = 360.0
_COUNTER_STALE_AFTER = timedelta(minutes=10)


class CleanPeriod(NamedTuple):
    """Local dates, both included, in which a machine was known to be clean."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class EquipmentLogging:
    """By equipment; where nothing is said, the defaults of the class hold."""

    tasks: tuple[MaintenanceTask, ...] = ()
    limits: Mapping[str, CyclingLimits] = field(default_factory=dict[str, CyclingLimits])
    clean: Mapping[str, CleanPeriod] = field(default_factory=dict[str, CleanPeriod])


def running_status(equipment: str, its_class: str, points: Mapping[PointId, Point]) -> PointId | None:
    """The point that tells whether it runs; None where its class has none, or nothing measures it."""
    quantity = EQUIPMENT[its_class].runs_by if its_class in EQUIPMENT else None
    point = points.get(PointId(f"{equipment}.{quantity}"))
    return point.id if point is not None and point.type is ValueType.BOOLEAN else None


def logged_equipment(equipment: Mapping[str, str], points: Mapping[PointId, Point]) -> dict[str, PointId]:
    """Equipment -> its running status."""
    found = {id_: running_status(id_, its_class, points) for id_, its_class in equipment.items()}
    return {id_: status for id_, status in found.items() if status is not None}


def counter_point(id_: PointId) -> Point | None:
    """The virtual point by which a strategy sees what the log has counted; None for any other quantity."""
    quantity = id_.rpartition(".")[2]
    if quantity == RUN_TIME:
        return Point(id_, PointKind.SENSOR, Unit.SECOND, ValueType.NUMBER, _COUNTER_STALE_AFTER)
    if quantity == STARTS:
        return Point(id_, PointKind.SENSOR, Unit.NONE, ValueType.INTEGER, _COUNTER_STALE_AFTER)
    return None
