"""A point as its template says it, before it is known whether that is right."""

from __future__ import annotations

from dataclasses import dataclass

from controller.core.equipment import Quantity
from controller.core.point import Range
from controller.core.units import Linear
from controller.settings.document import Where
from controller.settings.schema.templates import PointEntry

_LAMPS = frozenset({"lighting_group", "lighting_circuit", "sensor_lamp_group"})
_REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A point as its template says it. local: `equipment.quantity`; its_class: of the equipment.

    is_sound: false where unit or numbers are wrong, which is told already.
    """

    local: str
    where: Where
    its_class: str
    quantity: Quantity
    entry: PointEntry
    conversion: Linear
    plausible: Range | None
    is_sound: bool

    @property
    def name(self) -> str:
        return self.local.rpartition(".")[2]

    @property
    def is_lamp(self) -> bool:
        return self.its_class in _LAMPS and self.name != _REMOTE
