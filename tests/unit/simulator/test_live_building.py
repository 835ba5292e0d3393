"""The tower building behind the simulator's servers: its points are shown, written and let go like any other site's."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.units import Unit as Units
from drivers.modbus.address import ModbusAddress
from simulator.demo_building import DemoBuilding
from simulator.live_building import LiveBuilding
from simulator.servers.modbus_unit import ILLEGAL_VALUE, Unit, units_of
from simulator.servers.registers import value_of
from simulator.servers.served_site import NotServable, ServedSite
from tests.hot_days import MONDAY, SUN, WEATHER

NINE = datetime.fromtimestamp(MONDAY + 9.0 * 3600.0, UTC)
SETPOINT = "air.air_handler_1.supply_air_temperature_setpoint"
PLACES = {SETPOINT: 0, "air.air_handler_1.supply_air_temperature": 2, "plant.chiller_1.power": 4}


class Site:
    """The building at an instant that a test says, and one device that shows some of its points."""

    def __init__(self, *points: str) -> None:
        self.at = NINE
        self.live = LiveBuilding(DemoBuilding(NINE, WEATHER, SUN), lambda: self.at)
        served: ServedSite = self.live
        bindings = [
            Binding(
                Point(PointId(name), PointKind.SENSOR, Units.CELSIUS),
                "panel",
                ModbusAddress(1, "holding", PLACES.get(name, 90), "float32"),
            )
            for name in points
        ]
        self.unit: Unit = units_of(served, bindings)[1]

    def wait(self, minutes: float) -> None:
        self.at += timedelta(minutes=minutes)
        self.live.refresh()

    def shown(self, name: str) -> float:
        registers = [0, 0]
        self.unit.show_registers("holding", PLACES[name], PLACES[name], 2, registers)
        return value_of(ModbusAddress(1, "holding", 0, "float32"), registers)


def test_its_points_are_shown_and_written_in_registers() -> None:
    site = Site(*PLACES)
    site.wait(45.0)
    assert site.shown(SETPOINT) == 14.0
    assert site.shown("air.air_handler_1.supply_air_temperature") < 20.0
    assert site.shown("plant.chiller_1.power") > 10.0
    assert site.unit.take("holding", 0, [0x4188, 0]) == 0  # 17.0
    site.wait(5.0)
    assert site.shown(SETPOINT) == 17.0
    assert site.unit.take("holding", 0, [0x4220, 0]) == ILLEGAL_VALUE  # 40.0
    site.live.release(SETPOINT)
    assert site.shown(SETPOINT) == 14.0


def test_a_device_that_shows_what_the_building_has_not_is_refused() -> None:
    with pytest.raises(NotServable, match="swimming_pool"):
        Site("swimming_pool.pump_1.status")
