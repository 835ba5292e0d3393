"""Chilled-water storage: plans on the demo's own tariff, every step on proof, every wait with an end."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.cli.site_folder import load_site
from controller.core.availability import Availability
from controller.core.errors import BadInput
from controller.core.forecast import Forecast, Source
from controller.core.sample import Quality, Sample, Scalar
from controller.core.state_codec import decode, encode
from controller.core.strategy import Decision, Observation, PlanInput, Plans, Position, Role
from controller.core.tariff import Tariff
from strategies.blocks.load_shifting import StoragePlan, Window
from strategies.blocks.storage_parameters import Parameters
from strategies.blocks.storage_sequence import State
from strategies.chilled_water_storage import ChilledWaterStorage
from tests.sweep import examples
from tests.unit.strategies.cycles import SHANGHAI, Cycles, Input

DEMO = Path(__file__).resolve().parents[3] / "config" / "sites" / "demo"

STATUS, TRIPPED = Role("chiller", 0, "status"), Role("chiller", 0, "tripped")
LEAVING = Role("chiller", 0, "leaving_chilled_water_temperature")
PUMP_STATUS, CONDENSER_STATUS = Role("chilled_water_pump", 0, "status"), Role("condenser_water_pump", 0, "status")
CHARGE_OPEN, DISCHARGE_OPEN = Role("tank", 0, "charge_valve_status"), Role("tank", 0, "discharge_valve_status")
CHARGE_POSITION, DISCHARGE_POSITION = (
    Role("tank", 0, "charge_valve_position"),
    Role("tank", 0, "discharge_valve_position"),
)

LOWER, UPPER = Role("tank", 0, "lower_temperature"), Role("tank", 0, "upper_temperature")
STORED = Role("tank", 0, "stored_energy")
FLOW, SUPPLY = Role("loop", 0, "chilled_water_flow"), Role("loop", 0, "chilled_water_supply_temperature")
LOAD = Role("loop", 0, "cooling_load")

ENABLE = Role("chiller", 0, "enable_command")
SETPOINT = Role("chiller", 0, "chilled_water_temperature_setpoint")
PUMP, CONDENSER = Role("chilled_water_pump", 0, "command"), Role("condenser_water_pump", 0, "command")
SPEED = Role("chilled_water_pump", 0, "speed_command")
CHARGE, DISCHARGE = Role("tank", 0, "charge_valve_command"), Role("tank", 0, "discharge_valve_command")
MODE = Role("plant", 0, "mode")

DIRECT = {MODE: "direct"}
PLAIN = Parameters(capacity=3500.0, unusable_energy=700.0)

STANDING: Mapping[Role, Input] = {
    **dict.fromkeys((STATUS, TRIPPED, PUMP_STATUS, CONDENSER_STATUS, CHARGE_OPEN, DISCHARGE_OPEN), False),
    **dict.fromkeys((CHARGE_POSITION, DISCHARGE_POSITION, FLOW, LOAD), 0.0),
    **dict.fromkeys((LEAVING, LOWER, UPPER, SUPPLY), 13.0),
    STORED: 700.0,
}
CHARGE_VALVE_OPENS: Mapping[Role, Input] = {CHARGE_OPEN: True, CHARGE_POSITION: 1.0}
CHARGE_VALVE_CLOSES: Mapping[Role, Input] = {CHARGE_OPEN: False, CHARGE_POSITION: 0.0}
DISCHARGE_VALVE_OPENS: Mapping[Role, Input] = {DISCHARGE_OPEN: True, DISCHARGE_POSITION: 1.0}
DISCHARGE_VALVE_CLOSES: Mapping[Role, Input] = {DISCHARGE_OPEN: False, DISCHARGE_POSITION: 0.0}
BUILDING_DRAWS: Mapping[Role, Input] = {FLOW: 15.0, LOAD: 400.0, SUPPLY: 7.1, LEAVING: 7.0}
PLANT_RUNS: Mapping[Role, Input] = {STATUS: True, PUMP_STATUS: True, CONDENSER_STATUS: True}
TANK_IS_FULL: Mapping[Role, Input] = {STORED: 3500.0, LOWER: 5.1, UPPER: 5.5}


@cache
def tariff() -> Tariff:
    found = load_site(DEMO).tariff
    assert found is not None
    return found


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def forecast(start: str, *loads: float) -> Forecast:
    """Hourly loads [kW] from a local time on."""
    return Forecast(local(start), tuple(load for load in loads for _ in range(4)), Source.MODEL)


def planned(
    now: str, given: Forecast | None = None, parameters: Parameters = PLAIN, stored: float | None = None
) -> StoragePlan:
    at = local(now)
    forecasts = {} if given is None else {LOAD: given}
    samples = {} if stored is None else {STORED: Sample(stored, Quality.GOOD, "", at, 0.0)}
    seen = Observation(at, at, 0.0, samples)
    return ChilledWaterStorage(parameters).plan(
        PlanInput(at, SHANGHAI, Position(22.5, 114.0), seen, State(), None, tariff(), forecasts)
    )


def hours(window: Window) -> str:
    return " to ".join(edge.astimezone(SHANGHAI).strftime("%d %H:%M") for edge in (window.start, window.end))


def on_the_sixth(plan: StoragePlan) -> list[str]:
    return [hours(each) for each in plan.discharging if each.start.astimezone(SHANGHAI).day == 6]


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_windows_are_the_valleys_and_peaks_of_the_tariff() -> None:
    plan = planned("2026-07-06 01:00")
    assert [hours(each.window) for each in plan.charging[1:]] == ["06 00:00 to 06 08:00", "07 00:00 to 07 08:00"]
    found = [hours(each) for each in plan.discharging]
    assert found[2:4] == ["06 10:00 to 06 12:00", "06 14:00 to 06 19:00"], "super peak counts as peak"


@pytest.mark.parametrize(
    "given, target, is_forecast",
    [
        (None, 3500.0, False),
        (forecast("2026-07-06 00:00", *[100.0] * 24), 700.0 + 7 * 100.0 * 1.1, True),
        (forecast("2026-07-06 00:00", *[0.0] * 24), 700.0, True),
        (forecast("2026-07-06 00:00", *[-5.0] * 24), 700.0, True),
        (forecast("2026-07-06 00:00", *[2000.0] * 24), 3500.0, True),
        (forecast("2026-07-06 00:00", *[100.0] * 18), 3500.0, False),
    ],
    ids=["none", "a load", "no load", "noise", "more than the tank holds", "one that ends before the peak does"],
)
def test_the_tank_is_to_hold_what_the_peaks_of_the_day_are_forecast_to_need(
    given: Forecast | None, target: float, is_forecast: bool
) -> None:
    plan = planned("2026-07-05 23:50", given)
    charging = plan.charging_at(local("2026-07-06 03:00"))
    assert charging is not None
    assert charging.target == pytest.approx(target)
    assert charging.forecast is is_forecast


def test_a_tank_that_cannot_serve_all_serves_the_dearest_hours() -> None:
    """700 kW for 2800 kWh: the three hours of super peak take 2100, one hour of the plain peak before them the rest.

    What comes after the last of them may have the rest: nothing dearer is robbed of it.
    """
    plan = planned("2026-07-05 23:50", forecast("2026-07-06 00:00", *[700.0] * 24))
    assert on_the_sixth(plan) == ["06 10:00 to 06 12:00", "06 15:00 to 06 19:00"]
    plan = planned("2026-07-05 23:50", forecast("2026-07-06 00:00", *[800.0] * 24))
    assert on_the_sixth(plan) == ["06 10:30 to 06 12:00", "06 15:00 to 06 19:00"]


def test_by_day_it_is_what_the_tank_still_holds_that_counts() -> None:
    """At half past ten, 500 kW: super peak needs 1500 kWh, the half hour before it 250, the hour between 500."""
    loads = Forecast(local("2026-07-06 10:30"), (500.0,) * 96, Source.MODEL)
    for usable, expected in (
        (2300.0, ["06 10:00 to 06 12:00", "06 14:00 to 06 19:00"]),
        (1750.0, ["06 10:00 to 06 12:00", "06 15:00 to 06 19:00"]),
        (1400.0, ["06 11:00 to 06 12:00", "06 15:00 to 06 19:00"]),
    ):
        assert on_the_sixth(planned("2026-07-06 10:30", loads, stored=700.0 + usable)) == expected


def test_a_spread_that_does_not_pay_is_not_used() -> None:
    """The valley costs 0.27, the peak 1.10, super peak 1.37: a plant five times as good by day makes storing dearer."""
    plan = planned("2026-07-06 01:00", parameters=replace(PLAIN, charging_cop=1.2, direct_cop=5.5))
    assert [hours(each) for each in plan.discharging[2:4]] == ["06 11:00 to 06 12:00", "06 15:00 to 06 17:00"]
    plan = planned("2026-07-06 01:00", parameters=replace(PLAIN, charging_cop=1.0, direct_cop=5.5))
    assert (plan.charging, plan.discharging) == ((), ())


def test_without_a_tariff_there_is_nothing_to_plan() -> None:
    at = local("2026-07-06 01:00")
    seen = Observation(at, at, 0.0, {})
    plan = ChilledWaterStorage(PLAIN).plan(PlanInput(at, SHANGHAI, Position(0, 0), seen, State(), None))
    assert (plan.charging, plan.discharging) == ((), ())


def test_a_plan_travels_and_is_stored() -> None:
    strategy = ChilledWaterStorage(PLAIN)
    assert isinstance(strategy, Plans)
    assert strategy.forecasts <= set(strategy.inputs)
    plan = planned("2026-07-06 01:00")
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert decode(StoragePlan, encode(plan)) == plan
    assert pickle.loads(pickle.dumps(strategy.plan))


# --- step by step -----------------------------------------------------------------------------------------------------


class Table(Cycles[State]):
    """A plant that stands, with a plan made an hour ago; its mode is what was asked for in the last scan."""

    def __init__(self, start: str, inputs: Mapping[Role, Input] = STANDING, parameters: Parameters = PLAIN) -> None:
        super().__init__(ChilledWaterStorage(parameters), start)
        self.plan = planned(start, parameters=parameters)
        self.change({**STANDING, **inputs, MODE: "direct"})
        self.holds: Scalar | None = None
        self.step(0)

    def step(self, later: float, inputs: Mapping[Role, Input] | None = None) -> Decision[State]:
        decision = super().step(later, inputs)
        self.change({MODE: decision.requests[MODE] if self.holds is None else self.holds})
        return decision

    def expect(self, later: float, inputs: Mapping[Role, Input], expected: Mapping[Role, Scalar | None]) -> str:
        """One decision; `expected` is part of what is requested, all of it if it is DIRECT. Answers its reason."""
        decision = self.step(later, inputs)
        shown = {role: decision.requests.get(role) for role in expected}
        assert shown == expected, decision.reason.en
        if expected is DIRECT:
            assert decision.requests == DIRECT, decision.reason.en
        return decision.reason.en

    def is_at(self, step: str) -> bool:
        return self.state.progress.step == step


NIGHT, MORNING, PEAK = "2026-07-06 00:00", "2026-07-06 06:30", "2026-07-06 14:00"


def charging(start: str = NIGHT, **changes: Any) -> Table:
    """At work, by the way that the first test tells."""
    table = Table(start, **changes)
    table.step(0)
    for inputs in ({CONDENSER_STATUS: True}, {PUMP_STATUS: True}, CHARGE_VALVE_OPENS, {STATUS: True, LEAVING: 5.0}):
        table.step(10, inputs)
    assert table.is_at("charging")
    return table


def discharging(start: str = PEAK) -> Table:
    table = Table(start, {**PLANT_RUNS, **BUILDING_DRAWS, **TANK_IS_FULL})
    table.step(0)
    table.step(10, {STATUS: False})
    table.step(60)
    for inputs in ({PUMP_STATUS: False, CONDENSER_STATUS: False}, {**DISCHARGE_VALVE_OPENS, SUPPLY: 5.1}):
        table.step(10, inputs)
    assert table.is_at("discharging")
    return table


def test_to_charge_pumps_then_valve_then_chiller() -> None:
    table = Table(NIGHT)
    table.expect(0, {}, {MODE: "charge", CONDENSER: True, PUMP: False, ENABLE: False, CHARGE: False, DISCHARGE: False})
    table.expect(30, {}, {CONDENSER: True, PUMP: False})
    table.expect(5, {CONDENSER_STATUS: True}, {CONDENSER: True, PUMP: True, SPEED: 0.7, CHARGE: False, ENABLE: False})
    table.expect(30, {}, {PUMP: True, CHARGE: False})
    table.expect(5, {PUMP_STATUS: True}, {CHARGE: True, ENABLE: False})
    table.expect(15, {CHARGE_POSITION: 0.5}, {CHARGE: True, ENABLE: False, SETPOINT: None})
    table.expect(15, CHARGE_VALVE_OPENS, {CHARGE: True, ENABLE: True, SETPOINT: 5.0})
    reason = table.expect(60, {STATUS: True}, {CHARGE: True, ENABLE: True, SETPOINT: 5.0, DISCHARGE: False})
    assert reason == "charge to 3500 kWh (full, without a forecast), until 07:50 at the latest"


def test_a_chiller_that_serves_the_building_goes_on_while_charging_begins() -> None:
    table = Table(MORNING, {**PLANT_RUNS, **BUILDING_DRAWS})
    table.expect(0, {}, {MODE: "charge", ENABLE: True, PUMP: True, CONDENSER: True, CHARGE: False})
    for _ in range(2):
        table.expect(1, {}, {ENABLE: True, PUMP: True, CONDENSER: True})
    table.expect(1, {}, {CHARGE: True, ENABLE: True})


def test_from_charging_at_night_chiller_then_valve_then_pumps_after_their_overrun() -> None:
    table = charging()
    running = {PUMP: True, CONDENSER: True, ENABLE: False}
    table.expect(3600, {STORED: 3501.0}, {**running, CHARGE: True, MODE: "charge"})
    table.expect(10, {}, {**running, CHARGE: True})
    table.expect(5, {STATUS: False}, {**running, CHARGE: False})
    table.expect(20, {CHARGE_OPEN: False, CHARGE_POSITION: 0.3}, {**running, CHARGE: False})
    table.expect(10, CHARGE_VALVE_CLOSES, {**running, CHARGE: False})
    table.expect(5, {}, running)
    table.expect(54, {}, running)
    table.expect(6, {}, DIRECT)


def test_from_charging_while_the_building_draws_water_the_chiller_is_handed_back_running() -> None:
    table = charging()
    table.expect(600, BUILDING_DRAWS, {MODE: "charge", CHARGE: True})
    table.expect(600, {STORED: 3501.0}, {CHARGE: False, ENABLE: True, PUMP: True, CONDENSER: True, SETPOINT: 5.0})
    table.expect(20, {CHARGE_POSITION: 0.4, CHARGE_OPEN: False}, {ENABLE: True, PUMP: True})
    table.expect(10, CHARGE_VALVE_CLOSES, DIRECT)


def test_a_full_tank_ends_charging_whatever_its_meter_says() -> None:
    table = charging()
    table.expect(3600, {UPPER: 6.5}, {ENABLE: False})


def test_charging_ends_early_enough_to_be_over_with_the_valley() -> None:
    table = charging()
    valley_ends = local("2026-07-06 08:00")
    table.expect((valley_ends - table.now).total_seconds() - 601, {}, {ENABLE: True, CHARGE: True})
    table.expect(1, {}, {ENABLE: False, CHARGE: True})
    table.expect(300, {}, {CHARGE: True})
    table.expect(119, {}, {CHARGE: True})
    reason = table.expect(1, {}, {CHARGE: False, ENABLE: False, PUMP: True})
    assert "it was not proven that the chiller stands" in reason


def test_no_charging_begins_where_the_valley_is_nearly_over_or_little_is_lacking() -> None:
    Table("2026-07-06 07:20").expect(0, {}, DIRECT)
    Table(NIGHT, {STORED: 3301.0}).expect(0, {}, DIRECT)
    Table("2026-07-06 08:00").expect(0, {}, DIRECT)


def test_the_pump_is_fast_while_the_building_draws_more_than_a_slow_one_brings() -> None:
    table = charging()
    table.expect(60, {SUPPLY: 9.0}, {SPEED: 0.7})
    table.expect(60, {FLOW: 20.0}, {SPEED: 1.0})
    table.expect(60, {SUPPLY: 5.1}, {SPEED: 1.0})
    table.expect(60, {FLOW: 0.0}, {SPEED: 0.7})


def test_to_discharge_chiller_then_pumps_then_valve() -> None:
    table = Table(PEAK, {**PLANT_RUNS, **BUILDING_DRAWS, **TANK_IS_FULL})
    on = {PUMP: True, CONDENSER: True, ENABLE: False, CHARGE: False, DISCHARGE: False}
    off = {PUMP: False, CONDENSER: False, ENABLE: False, CHARGE: False}
    table.expect(0, {}, {**on, MODE: "discharge", SETPOINT: None})
    table.expect(600, {}, on)
    table.expect(5, {STATUS: False}, on)
    table.expect(59, {}, on)
    table.expect(1, {}, {**off, DISCHARGE: False})
    table.expect(5, {CONDENSER_STATUS: False}, {**off, DISCHARGE: False})
    table.expect(5, {PUMP_STATUS: False}, {**off, DISCHARGE: True})
    reason = table.expect(40, DISCHARGE_VALVE_OPENS, {**off, DISCHARGE: True})
    assert reason == "discharge until 18:50 at the latest"


def test_from_discharging_the_tank_serves_until_the_chiller_does() -> None:
    table = discharging()
    on = {PUMP: True, CONDENSER: True, ENABLE: True}
    table.expect(3600, {LOWER: 8.1}, {CONDENSER: True, PUMP: False, ENABLE: False, DISCHARGE: True})
    table.expect(5, {CONDENSER_STATUS: True}, {CONDENSER: True, PUMP: True, SPEED: 0.4, ENABLE: False})
    table.expect(5, {PUMP_STATUS: True, LEAVING: 11.0}, {**on, SPEED: 0.4, DISCHARGE: True})
    table.expect(60, {STATUS: True}, {**on, DISCHARGE: True})
    table.expect(30, {LEAVING: 7.5}, {**on, DISCHARGE: True})
    table.expect(119, {}, {**on, DISCHARGE: True})
    table.expect(1, {}, {**on, DISCHARGE: False, SPEED: 1.0})
    table.expect(30, DISCHARGE_VALVE_CLOSES, DIRECT)


def test_a_discharge_that_nobody_draws_from_ends_without_the_chiller() -> None:
    table = discharging()
    table.expect(3600, {FLOW: 0.0}, {DISCHARGE: False, ENABLE: False, PUMP: False, CONDENSER: False})
    table.expect(30, DISCHARGE_VALVE_CLOSES, DIRECT)


def test_discharging_ends_early_enough_to_be_over_with_the_peak() -> None:
    table = discharging()
    peak_ends = local("2026-07-06 19:00")
    table.expect((peak_ends - table.now).total_seconds() - 601, {}, {DISCHARGE: True, CONDENSER: False})
    table.expect(1, {}, {DISCHARGE: True, CONDENSER: True})
    table.expect(5, {CONDENSER_STATUS: True, PUMP_STATUS: True}, {DISCHARGE: True})
    table.expect(5, {}, {DISCHARGE: True, ENABLE: True})
    table.expect(409, {}, {DISCHARGE: True, ENABLE: True})
    reason = table.expect(1, {}, {DISCHARGE: False, ENABLE: True, PUMP: True})
    assert "it was not proven that the chiller makes cold water" in reason


@pytest.mark.parametrize(
    "start, inputs",
    [
        ("2026-07-06 09:59", {}),
        ("2026-07-06 12:00", {}),
        ("2026-07-06 19:00", {}),
        ("2026-07-06 18:30", {}),
        (PEAK, {FLOW: 0.0}),
        (PEAK, {LOWER: 8.0}),
        (PEAK, {STORED: 800.0}),
    ],
)
def test_no_discharge_begins(start: str, inputs: Mapping[Role, Input]) -> None:
    Table(start, {**PLANT_RUNS, **BUILDING_DRAWS, **TANK_IS_FULL, **inputs}).expect(0, {}, DIRECT)


# --- what does not come -----------------------------------------------------------------------------------------------


def paused(table: Table, proof: str) -> None:
    """Back in direct, with the reason told, and tried again after half an hour."""
    reason = table.expect(1, {}, DIRECT)
    assert f"it was not proven that {proof}" in reason
    table.expect(1700, {}, DIRECT)
    assert "it was not proven" not in table.step(200).reason.en


@pytest.mark.parametrize(
    "rows, timeout, proof",
    [
        ([], 120, "the condenser water pump runs"),
        ([{CONDENSER_STATUS: True}], 120, "the chilled water pump runs"),
    ],
)
def test_a_pump_that_does_not_start_ends_the_attempt(
    rows: list[Mapping[Role, Input]], timeout: float, proof: str
) -> None:
    table = Table(NIGHT)
    table.step(0)
    for row in rows:
        table.step(5, row)
    table.expect(timeout - 1, {}, {MODE: "charge"})
    table.expect(1, {}, DIRECT)
    paused(table, proof)


def test_a_charge_valve_that_does_not_open_is_closed_again_before_the_pumps_may_stop() -> None:
    table = Table(NIGHT)
    table.step(0)
    table.step(5, {CONDENSER_STATUS: True})
    table.step(5, {PUMP_STATUS: True})
    table.expect(179, {CHARGE_POSITION: 0.8}, {CHARGE: True})
    table.expect(1, {}, {CHARGE: False, PUMP: True, CONDENSER: True, ENABLE: False})
    table.expect(30, CHARGE_VALVE_CLOSES, {PUMP: True, CHARGE: False})
    table.expect(1, {}, {PUMP: True})
    table.expect(60, {}, DIRECT)
    paused(table, "the charge valve is open")


def test_a_chiller_that_does_not_start_leaves_the_tank_closed() -> None:
    table = Table(NIGHT)
    table.step(0)
    for inputs in ({CONDENSER_STATUS: True}, {PUMP_STATUS: True}, CHARGE_VALVE_OPENS):
        table.step(10, inputs)
    table.expect(1199, {}, {ENABLE: True, CHARGE: True})
    table.expect(1, {}, {ENABLE: False, CHARGE: False, PUMP: True})


@pytest.mark.parametrize(
    "lost", [{STATUS: False}, {PUMP_STATUS: False}, {CONDENSER_STATUS: False}, {CHARGE_OPEN: False}]
)
def test_charging_that_loses_what_it_leans_on_ends(lost: Mapping[Role, Input]) -> None:
    table = charging()
    table.expect(600, lost, {CHARGE: False, ENABLE: False, PUMP: True, CONDENSER: True})


@pytest.mark.parametrize("lost", [{PUMP_STATUS: True}, {DISCHARGE_OPEN: False}])
def test_discharging_that_loses_what_it_leans_on_ends(lost: Mapping[Role, Input]) -> None:
    discharging().expect(600, lost, {DISCHARGE: False, ENABLE: False})


def test_a_chiller_that_will_not_stop_keeps_the_building() -> None:
    table = Table(PEAK, {**PLANT_RUNS, **BUILDING_DRAWS, **TANK_IS_FULL})
    table.step(0)
    table.expect(1259, {}, {ENABLE: False, PUMP: True})
    table.expect(1, {}, DIRECT)
    paused(table, "the chiller stands")


def test_pumps_that_will_not_stop_are_not_followed_by_the_valve() -> None:
    table = Table(PEAK, {**PLANT_RUNS, **BUILDING_DRAWS, **TANK_IS_FULL})
    table.step(0)
    table.step(10, {STATUS: False})
    table.step(60)
    table.expect(119, {CONDENSER_STATUS: False}, {PUMP: False, DISCHARGE: False})
    table.expect(1, {}, DIRECT)
    paused(table, "both pumps stand")


def test_pumps_do_not_stop_while_a_valve_is_not_closed() -> None:
    table = Table(PEAK, {**PLANT_RUNS, **BUILDING_DRAWS, **TANK_IS_FULL})
    table.step(0)
    table.step(10, {STATUS: False, CHARGE_POSITION: 0.2})
    table.expect(1, {}, DIRECT)
    paused(table, "both valves of the tank are closed")


@pytest.mark.parametrize("sensor", [LOWER, UPPER, STORED])
def test_a_silent_sensor_of_the_tank_ends_both_in_order(sensor: Role) -> None:
    charging().expect(600, {sensor: None}, {ENABLE: False, CHARGE: True, PUMP: True})
    discharging().expect(600, {sensor: None}, {DISCHARGE: True, CONDENSER: True})
    Table(NIGHT, {sensor: None}).expect(0, {}, DIRECT)
    Table(PEAK, {**PLANT_RUNS, **BUILDING_DRAWS, **TANK_IS_FULL, sensor: None}).expect(0, {}, DIRECT)


@pytest.mark.parametrize(
    "proof", [STATUS, TRIPPED, PUMP_STATUS, CONDENSER_STATUS, CHARGE_OPEN, DISCHARGE_POSITION, FLOW]
)
def test_without_the_proofs_of_the_machines_it_lets_go(proof: Role) -> None:
    for table in (charging(), discharging(), Table(NIGHT)):
        with pytest.raises(BadInput):
            table.step(1, {proof: None})


def test_a_trip_ends_charging_and_not_discharging() -> None:
    charging().expect(600, {TRIPPED: True, STATUS: False}, {ENABLE: False, PUMP: True})
    table = discharging()
    table.expect(600, {TRIPPED: True}, {DISCHARGE: True, CONDENSER: False})
    table.expect(600, {LOWER: 9.0}, {DISCHARGE: False, CONDENSER: False, ENABLE: False})
    Table(NIGHT, {TRIPPED: True}).expect(0, {}, DIRECT)


MACHINES = ("chiller", "chilled_water_pump", "condenser_water_pump", "tank", "plant")


@pytest.mark.parametrize("member", MACHINES)
def test_without_one_of_its_machines_it_goes_back_to_direct(member: str) -> None:
    for table in (charging(), discharging()):
        table.unavailable[member, 0] = Availability.LOCAL
        requests = table.step(1).requests
        assert not requests[CHARGE] or not requests[ENABLE], "the tank is closed, or the chiller stops first"
        for changes in ({STATUS: False}, {**CHARGE_VALVE_CLOSES, **DISCHARGE_VALVE_CLOSES}):
            table.step(30, changes)
        table.step(600)
        decision = table.expect(600, {}, DIRECT)
        assert "not in auto" in decision
    table = Table(NIGHT)
    table.unavailable[member, 0] = Availability.LOCKED_OUT
    table.expect(0, {}, DIRECT)
    table.unavailable.clear()
    assert table.step(1).requests[MODE] == "charge"


def test_a_chiller_that_is_not_ours_to_stop_is_not_waited_for() -> None:
    table = charging()
    table.unavailable["chiller", 0] = Availability.LOCAL
    table.expect(1, {FLOW: 0.0}, {CHARGE: False, PUMP: True})


def test_a_chiller_does_not_go_on_without_its_pumps() -> None:
    for changes in ({PUMP_STATUS: False}, {}):
        table = charging()
        table.change(BUILDING_DRAWS)
        table.unavailable["chilled_water_pump", 0] = Availability.TRIPPED
        table.expect(1, changes, {ENABLE: False})


def test_discharging_ends_once_a_tripped_chiller_may_be_started() -> None:
    table = discharging()
    table.unavailable["chiller", 0] = Availability.TRIPPED
    table.expect(600, {TRIPPED: True}, {DISCHARGE: True, CONDENSER: False})
    table.expect(1, {TRIPPED: False}, {DISCHARGE: True, CONDENSER: True})


def test_without_a_plan_it_stays_direct_and_closes_what_is_open() -> None:
    for table in (charging(), discharging()):
        table.plan = None
        table.expect(1, {}, {CHARGE: False, DISCHARGE: False})
        table.step(30, {**CHARGE_VALVE_CLOSES, **DISCHARGE_VALVE_CLOSES, STATUS: False})
        table.step(600)
        table.expect(600, {}, DIRECT)
    idle = Table(NIGHT)
    idle.plan = None
    assert "no plan" in idle.expect(0, {}, DIRECT)


def test_after_a_long_silence_nothing_stays_open_beyond_its_band() -> None:
    """Eight hours without a decision, and the state says that it charges."""
    charging().expect(8 * 3600, {}, {CHARGE: False})
    discharging().expect(8 * 3600, {}, {DISCHARGE: False})


def test_whoever_holds_the_mode_has_it() -> None:
    """An operator, a shadow's or the original's authority: what is asked for does not show, and nothing is begun."""
    table = Table(NIGHT)
    table.holds = "direct"
    table.change({MODE: "direct"})
    for _ in range(3):
        decision = table.step(60)
        assert decision.requests == {MODE: "charge"}
        assert "the plant's mode does not follow" in decision.reason.en
    table.holds = None
    table.step(1)
    table.expect(1, {}, {MODE: "charge", CONDENSER: True})


def test_a_mode_that_is_taken_away_ends_in_order() -> None:
    table = charging()
    table.holds = "direct"
    table.expect(10, {}, {CHARGE: True, ENABLE: True})
    table.expect(10, {}, {CHARGE: True, ENABLE: True})
    table.expect(20, {}, {CHARGE: True, ENABLE: False, PUMP: True})
    table.expect(5, {STATUS: False}, {CHARGE: False, PUMP: True})


def test_a_state_is_stored_and_goes_on() -> None:
    table = charging()
    table.state = decode(State, encode(table.state))
    table.first = True
    table.expect(5, {}, {CHARGE: True, ENABLE: True})


@pytest.mark.parametrize(
    "parameters, wrong",
    [
        ({"unusable_energy": 3500.0}, "below capacity"),
        ({"discharge_end_temperature": 5.0}, "above charging_setpoint"),
        ({"changeover": timedelta(minutes=5)}, "longer than valve_timeout and run_up"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(parameters: Mapping[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        replace(PLAIN, **parameters)


# --- whatever happens -------------------------------------------------------------------------------------------------


@st.composite
def looks(draw: st.DrawFn) -> tuple[float, dict[Role, Input], bool]:
    """Seconds later, what has changed, and whether there is a plan; most looks see what was told come true."""
    if draw(st.integers(0, 4)):
        return draw(st.sampled_from([5.0, 30.0, 61.0])), {}, True
    flags = st.sampled_from([STATUS, TRIPPED, PUMP_STATUS, CONDENSER_STATUS, CHARGE_OPEN, DISCHARGE_OPEN])
    changes: dict[Role, Input] = draw(st.dictionaries(flags, st.booleans(), max_size=2))
    positions = st.sampled_from([CHARGE_POSITION, DISCHARGE_POSITION])
    changes |= draw(st.dictionaries(positions, st.sampled_from([0.0, 0.5, 1.0]), max_size=1))
    temperatures = st.sampled_from([LOWER, UPPER, LEAVING, SUPPLY])
    changes |= draw(st.dictionaries(temperatures, st.sampled_from([5.0, 7.0, 9.0, 12.0]), max_size=1))
    changes |= draw(st.dictionaries(st.just(STORED), st.sampled_from([500.0, 2000.0, 3500.0, None]), max_size=1))
    changes |= draw(st.dictionaries(st.just(FLOW), st.sampled_from([0.0, 15.0]), max_size=1))
    later = draw(st.sampled_from([1.0, 5.0, 30.0, 61.0, 300.0, 4000.0]))
    return later, changes, draw(st.integers(0, 30)) > 0


def obeyed(requests: Mapping[Role, Scalar]) -> dict[Role, Input]:
    """What a plant shows that did what it was told."""
    shown: dict[Role, Input] = {}
    for command, status in ((ENABLE, STATUS), (PUMP, PUMP_STATUS), (CONDENSER, CONDENSER_STATUS)):
        if command in requests:
            shown[status] = requests[command]
    for command, status, position in (
        (CHARGE, CHARGE_OPEN, CHARGE_POSITION),
        (DISCHARGE, DISCHARGE_OPEN, DISCHARGE_POSITION),
    ):
        if command in requests:
            shown |= {status: requests[command], position: float(bool(requests[command]))}
    return shown


def check(before: Mapping[Role, Scalar], table: Table, requests: Mapping[Role, Scalar]) -> None:
    closed = all(table.samples[position].value == 0.0 for position in (CHARGE_POSITION, DISCHARGE_POSITION))
    assert not (requests.get(CHARGE) and requests.get(DISCHARGE))
    if requests.get(ENABLE):
        assert requests[PUMP]
        assert requests[CONDENSER]
    for pump in (PUMP, CONDENSER):
        if before.get(pump) and requests.get(pump) is False:
            assert closed, "a pump stops while a valve is not proven closed"
    band = tariff().band_at(table.now)
    assert band is not None
    assert not requests.get(CHARGE) or band.is_valley
    assert not requests.get(DISCHARGE) or band.is_peak
    if table.plan is None:
        assert not requests.get(CHARGE)
        assert not requests.get(DISCHARGE)
    commands = {ENABLE, PUMP, SPEED, CONDENSER, CHARGE, DISCHARGE}
    assert set(requests) & commands in (set(), commands), "a machine is wished whole or not at all"


@given(
    st.sampled_from([0, 10 * 60, 14 * 60]) | st.integers(0, 24 * 60 - 1),
    st.lists(looks(), min_size=10, max_size=40),
    st.sampled_from([True, True, True, False]),
    st.lists(st.sampled_from([*[None] * 20, "direct", "charge"]), min_size=40, max_size=40),
)
@examples(100)
def test_whatever_the_plant_shows_the_order_is_kept(
    minute: int, rows: list[tuple[float, dict[Role, Input], bool]], obeys: bool, holders: list[str | None]
) -> None:
    start = datetime.fromisoformat("2026-07-06 00:00") + timedelta(minutes=minute)
    table = Table(str(start), {**BUILDING_DRAWS, STORED: 2000.0, LOWER: 5.0})
    plan = table.plan
    requests: Mapping[Role, Scalar] = {}
    for (later, changes, is_planned), holder in zip(rows, holders, strict=False):
        table.holds = holder
        table.plan = plan if is_planned else None
        decision = table.step(later, {**(obeyed(requests) if obeys else {}), **changes})
        check(requests, table, decision.requests)
        requests = decision.requests
