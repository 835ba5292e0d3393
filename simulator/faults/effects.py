"""What a fault does to a building as it begins and as it ends: what all buildings have alike, and what each adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar

from simulator.faults.fault import Fault
from simulator.gateway import Value


class Disturbed(Protocol):
    """A building in which these can go wrong, whatever machines it has."""

    says_fire: bool

    def operate(self, tag: str, value: Value) -> None: ...

    def lose_registers(self, points: Iterable[str]) -> None: ...


BuildingT = TypeVar("BuildingT", bound=Disturbed)


class Effect(NamedTuple, Generic[BuildingT]):
    """ends: the machine is mended, as a person resets a trip; None where nothing is left to mend."""

    begins: Callable[[BuildingT, Fault], None]
    ends: Callable[[BuildingT, Fault], None] | None = None


class Effects(Generic[BuildingT]):
    """own: of the building's machines and lamps, by kind of fault."""

    def __init__(self, own: Mapping[str, Effect[BuildingT]]) -> None:
        self._by_kind: dict[str, Effect[BuildingT]] = {
            "panel": Effect(_at_panel),
            "reboot": Effect(lose_registers),
            "fire": Effect(_say_fire, _say_no_fire),
            **own,
        }

    def touch(self, fault: Fault) -> bool:
        """Whether it does anything to machines, lamps or registers; else it is an instrument's or a wire's."""
        return fault.kind in self._by_kind

    def begin(self, building: BuildingT, fault: Fault) -> None:
        effect = self._by_kind.get(fault.kind)
        if effect is not None:
            effect.begins(building, fault)

    def end(self, building: BuildingT, fault: Fault) -> None:
        effect = self._by_kind.get(fault.kind)
        if effect is not None and effect.ends is not None:
            effect.ends(building, fault)


def lose_registers(building: Disturbed, fault: Fault) -> None:
    """Of the devices that are meant."""
    building.lose_registers(fault.points)


def _at_panel(building: Disturbed, fault: Fault) -> None:
    building.operate(fault.target, fault.value())


def _say_fire(building: Disturbed, fault: Fault) -> None:
    del fault
    building.says_fire = True


def _say_no_fire(building: Disturbed, fault: Fault) -> None:
    del fault
    building.says_fire = False
