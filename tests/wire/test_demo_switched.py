"""The demo over real sockets is given to Tidewatt and back ten times while its plant cools; the devices are asked
beside the daemon, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.site_processes import SiteProcesses, site_on, wait_until

pytestmark = [pytest.mark.wire, pytest.mark.slow, pytest.mark.timeout(240)]

WITHIN_S = 60.0
COMMANDS: dict[str, Any] = {
    "plant.condenser_water_pump_1.command": True,
    "plant.chilled_water_pump_1.command": True,
    "plant.chilled_water_pump_1.speed_command": 0.9,
    "plant.chiller_1.enable_command": True,
    "plant.chiller_1.chilled_water_temperature_setpoint": 7.0,
}
TAKEN = ("plant.chiller_1.remote", "plant.chilled_water_pump_1.remote", "plant.condenser_water_pump_1.remote")
ALARMING = ("ignored", "overridden", "implausible", "effect missing")


def switch(here: SiteProcesses, authority: str) -> None:
    for system in ("plant", "garage", "outdoor", "office"):
        here.ask("authority", system=system, authority=authority, who="Li Na")


def is_taken(here: SiteProcesses) -> bool:
    """Every command was read back, and the devices' own bits say that they are ours."""
    verdicts = {here.ask("explain", point=point).get("holding", {}).get("verdict") for point in COMMANDS}
    bits = here.remote_bits()
    return verdicts == {"owned"} and here.has_lamps() and all(bits[point] for point in TAKEN)


def is_given_back(here: SiteProcesses) -> bool:
    return not here.held() and here.is_given_back()


def test_ten_times_to_tidewatt_and_back_while_the_plant_cools(tmp_path: Path) -> None:
    with site_on(tmp_path) as here:
        here.simulator("--speed=60", "--start=2026-07-06T13:00")
        daemon = here.daemon()
        wait_until(here.has_lamps, "the lamps are taken")
        for _ in range(10):
            switch(here, "original")
            wait_until(lambda: is_given_back(here), "everything is given back", WITHIN_S)
            here.wait_for("plant.chiller_1.status", value=True, within=WITHIN_S)  # its own controls cool
            switch(here, "tidewatt")
            for point, value in COMMANDS.items():
                here.ask("write", point=point, value=value, for_s=36_000, who="Li Na", reason="a hot day")
            wait_until(lambda: is_taken(here), "everything is ours and read back", WITHIN_S)
            assert here.value("plant.chilled_water_loop_1.cooling_load") > 100.0, "kW"
        assert here.value("plant.chiller_1.tripped") is False
        assert daemon.stop(within=60) == 0, daemon.told
        assert here.is_given_back()
        alarms = [event["body"].get("alarm") for event in here.events("alarm")]
        assert [alarm for alarm in alarms if alarm in ALARMING] == []
