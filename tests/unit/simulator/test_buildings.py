"""Which simulated building serves a site is found by the points that the site has."""

import pytest

from simulator.buildings import building_with
from simulator.faults.kinds import Aim


def test_a_site_is_served_by_the_building_that_has_its_points() -> None:
    assert building_with(["plant.chiller_1.power", "building.zone_1.air_temperature"]).name == "the small demo"
    tower = building_with(["plant.chiller_3.power", "air.air_handler_1.remote", "plant.gateway_1.heartbeat"])
    assert tower.name == "the tower building"
    assert tower.targets[Aim.PANEL] == ("building.fire_alarm_panel_1",)
    assert "plant.transfer_pump_2" in tower.targets[Aim.TRIPPING]
    assert "plant.tank_1.charge_valve_position" in tower.targets[Aim.VALVE]
    assert "electric.battery_1.content" not in tower.targets[Aim.COUNTER]


def test_where_none_has_them_the_nearest_is_named_with_what_it_has_not() -> None:
    with pytest.raises(ValueError, match=r"the tower building, has no pool\.pump_1\.status, pool\.pump_2\.status$"):
        building_with(["plant.chiller_3.power", "pool.pump_1.status", "pool.pump_2.status"])
    with pytest.raises(ValueError, match=r"pool\.p3\.status and 2 others"):
        building_with([f"pool.p{number}.status" for number in range(1, 6)])
