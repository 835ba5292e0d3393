"""What a point of unclassified equipment says of itself, and what other points leave to their class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from controller.core.equipment import EquipmentClass, Quantity
from controller.core.point import ValueType
from controller.core.units import DEVICE_UNITS, Unit
from controller.settings.document import Where
from controller.settings.problems import nearest, shown
from controller.settings.schema.templates import PointEntry
from controller.settings.schema.words import LONGEST_QUANTITY, QUANTITY

Tell: TypeAlias = Callable[[Where, str, str], None]

_SAID_BY_CLASS = ("kind", "type", "states")


def said_by_point(entry: PointEntry, where: Where, tell: Tell) -> Quantity | None:
    """The quantity of a point whose class has none; None, with the problem told, where it does not say enough."""
    name, kind, type = str(where[-1]), entry.kind, entry.type or ValueType.NUMBER
    known = DEVICE_UNITS.get(entry.unit)
    if not QUANTITY.fullmatch(name) or len(name) > LONGEST_QUANTITY:
        right = f"lower snake case, like supply_temperature, of at most {LONGEST_QUANTITY} signs"
        tell(where, f"'{shown(name)}' is no name of a quantity", right)
    elif kind is None:
        tell(where, f"'{name}' is unclassified and says no kind", "add kind: sensor, status, setpoint or command")
    elif known is None:
        tell((*where, "unit"), f"the unit '{shown(entry.unit)}' is unknown", nearest(entry.unit, DEVICE_UNITS, "units"))
    elif type in (ValueType.BOOLEAN, ValueType.TEXT) and known[0] is not Unit.NONE:
        tell((*where, "unit"), f"'{name}' is a {type} and has no unit", "leave the unit out, or write type: number")
    elif entry.states and type is not ValueType.TEXT:
        tell((*where, "states"), f"'{name}' is a {type} and has no states", "leave them out, or write type: text")
    elif type is ValueType.TEXT and entry.writable is not None and not entry.states:
        tell(where, f"'{name}' is a text that is written", "add states: the words that may be written")
    else:
        return Quantity(kind, known[0], type, entry.states or ())
    return None


def refuse_what_class_says(entry: PointEntry, its_class: EquipmentClass, where: Where, tell: Tell) -> None:
    for name in _SAID_BY_CLASS:
        if getattr(entry, name) is not None:
            right = "remove it; only points of class unclassified say it themselves"
            tell((*where, name), f"the {name} of '{where[-1]}' is that of its class, {its_class.name}", right)
