"""The demonstration's lamps beside its three garage groups: their old controls, and what they do when commanded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from simulator.engine import Engine
from simulator.faults.fault import Fault

MakeEngine = Callable[..., Engine]

BAYS, STAIRS = "garage.sensor_lamps_1", "garage.sensor_lamps_2"
ROOM, FACADE, ROW = "garage.lighting_1", "outdoor.lighting_2", "office.row_1"
EVENING, NIGHT = "2026-07-20T17:50:00", "2026-07-20T23:00:00"
SILENT = 1e6  # wire seconds in which nobody writes


def run(engine: Engine, seconds: float, wire_now: float = 0.0) -> None:
    engine.advance(engine.now + timedelta(seconds=seconds), wire_now)


def number(engine: Engine, tag: str) -> float:
    return float(engine.read(tag))


def moments(engine: Engine, seconds: float, *tags: str) -> list[tuple[float, ...]]:
    """The tags every few seconds."""
    found: list[tuple[float, ...]] = []
    for _ in range(int(seconds / 5.0)):
        run(engine, 5.0)
        found.append(tuple(number(engine, tag) for tag in tags))
    return found


def test_sensor_lamps_light_up_with_nobody_above_them_and_keep_what_they_were_set_to(make_engine: MakeEngine) -> None:
    engine = make_engine(NIGHT, step_s=5.0)
    engine.write(f"{STAIRS}.idle_brightness", 0.1, 0.0)
    engine.write(f"{STAIRS}.active_brightness", 0.6, 0.0)
    run(engine, 5.0, SILENT)
    seen = moments(engine, 2 * 3600.0, f"{STAIRS}.power", f"{STAIRS}.motion")
    idle, lit = (24 * (0.0006 + share * (0.018 - 0.0006)) for share in (0.1, 0.6))
    assert {round(power, 6) for power, _ in seen} == {round(idle, 6), round(lit, 6)}
    assert all(power == pytest.approx(lit) for power, motion in seen if motion)
    assert number(engine, f"{STAIRS}.idle_brightness") == 0.1


def test_linked_groups_light_up_together(make_engine: MakeEngine) -> None:
    engine = make_engine(NIGHT, step_s=5.0)
    engine.write(f"{STAIRS}.linked_groups", 0b01, 0.0)
    idle = number(engine, f"{BAYS}.power")
    seen = moments(engine, 2 * 3600.0, f"{STAIRS}.motion", f"{BAYS}.motion", f"{BAYS}.power")
    assert any(stairs and not bays for stairs, bays, _ in seen)
    assert all(power > 2.0 * idle for stairs, _, power in seen if stairs)


def test_a_lamp_refuses_to_go_dark(make_engine: MakeEngine) -> None:
    with pytest.raises(ValueError, match=r"0\.05 to 1"):
        make_engine().write(f"{BAYS}.idle_brightness", 0.0, 0.0)


def test_a_room_and_the_facade_follow_old_clocks_and_commands(make_engine: MakeEngine) -> None:
    engine = make_engine(EVENING)
    assert (engine.read(f"{ROOM}.status"), engine.read(f"{FACADE}.status")) == (True, False)
    run(engine, 900.0)
    assert engine.read(f"{FACADE}.status") is True
    for lamps in (ROOM, FACADE):
        engine.write(f"{lamps}.remote", True, 0.0)
        engine.write(f"{lamps}.command", False, 0.0)
    assert not engine.read(f"{ROOM}.status")
    assert not engine.read(f"{FACADE}.status")
    run(engine, 1.0, SILENT)
    assert engine.read(f"{ROOM}.status"), "our silence gives them back"


def test_an_office_row_is_lit_in_office_hours_and_at_night_for_whoever_is_there(make_engine: MakeEngine) -> None:
    noon, night = make_engine("2026-07-20T12:00:00"), make_engine("2026-07-21T01:00:00")
    assert number(noon, f"{ROW}.brightness") == 1.0
    assert number(noon, f"{ROW}.illuminance") > number(noon, "office.row_3.illuminance") > 500.0, "daylight on top"
    run(night, 60.0)
    assert not night.read(f"{ROW}.motion")
    assert number(night, f"{ROW}.illuminance") < 0.001, "the night sky"
    noon.write(f"{ROW}.remote", True, 0.0)
    noon.write(f"{ROW}.brightness_command", 0.2, 0.0)
    run(noon, 5.0)
    assert number(noon, f"{ROW}.brightness") == pytest.approx(0.2)


def test_lamps_without_mains_take_nothing_and_know_their_settings_afterwards(make_engine: MakeEngine) -> None:
    engine = make_engine(NIGHT)
    engine.write(f"{BAYS}.idle_brightness", 0.4, 0.0)
    begins = engine.now.timestamp() + 1.0
    engine.add_fault(Fault("mains_dip", "site", begins, begins + 600.0, {}, ()))
    run(engine, 60.0)
    counted = number(engine, f"{BAYS}.energy")
    assert [number(engine, f"{lamps}.power") for lamps in (BAYS, ROOM, FACADE, ROW)] == [0.0] * 4
    run(engine, 300.0)
    assert number(engine, f"{BAYS}.energy") == counted
    run(engine, 300.0)
    assert number(engine, f"{BAYS}.power") > 0.3
    assert number(engine, f"{BAYS}.idle_brightness") == 0.4
    assert number(engine, f"{BAYS}.energy") > counted


def test_a_look_at_lamps_that_nobody_needed_changes_nothing(make_engine: MakeEngine) -> None:
    quiet, busy = make_engine(EVENING, step_s=30.0), make_engine(EVENING, step_s=30.0)
    for minute in range(180):
        for engine in (quiet, busy):
            if minute == 30:
                engine.write("garage.group_2.remote", True, 0.0)
                engine.write("garage.group_2.brightness_command", 0.4, 0.0)
                engine.write(f"{BAYS}.hold_time", 300.0, 0.0)
            run(engine, 60.0)
        for lamps in ("garage.group_1", ROOM, FACADE, ROW):
            busy.write(f"{lamps}.remote", False, 0.0)
    assert busy.snapshot() == quiet.snapshot()
