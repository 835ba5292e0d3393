"""Lamps that see motion themselves: they need nobody above them."""

from __future__ import annotations

import pytest

from simulator.plant.lamps import LampGroupModel, group_power
from simulator.plant.sensor_lamps import RADIO_S, SENSE_S, SensorLampNetwork, SensorLampSettings

LAMPS = LampGroupModel(lamps=8, lamp_power=0.018, standby_power=0.0003, illuminance=140.0, ramp=0.5)
SET = SensorLampSettings(idle=0.1, active=0.5, hold_s=20.0, links=0b011)


def network() -> SensorLampNetwork:
    lamps = SensorLampNetwork([LAMPS] * 3, 0.0)
    for group in lamps.groups:
        group.set(SET, 0.0)
    return lamps


def test_a_group_lights_up_by_itself_and_its_linked_group_a_message_later() -> None:
    lamps = network()
    lamps.motion(0, 100.0, 110.0)
    here, linked, far = lamps.groups
    assert here.brightness(100.0 + SENSE_S) == pytest.approx(0.1)
    assert here.brightness(101.5) == linked.brightness(102.0) == 0.5
    assert linked.brightness(100.0 + SENSE_S + RADIO_S) == pytest.approx(0.1)
    assert far.brightness(101.5) == 0.1
    assert here.illuminance(129.9) == pytest.approx(70.0)
    assert here.brightness(130.0) == linked.brightness(130.0) == 0.1


def test_more_motion_holds_the_light_longer() -> None:
    lamps = network()
    lamps.motion(2, 100.0, 110.0)
    lamps.motion(2, 125.0, 126.0)
    assert lamps.groups[2].brightness(145.9) == 0.5
    assert lamps.groups[2].brightness(146.0) == 0.1


def test_energy_is_that_of_idling_and_of_being_lit() -> None:
    lamps = network()
    group = lamps.groups[2]
    lamps.motion(2, 100.0, 110.0 + SENSE_S)
    group.integrate(3600.0)
    lit = (30.0) / 3600.0
    assert group.energy == pytest.approx(lit * group_power(LAMPS, 0.5) + (1.0 - lit) * group_power(LAMPS, 0.1))
