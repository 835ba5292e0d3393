"""A small site on virtual time: machines are taken value first, kept, and handed back in order."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.core.ledger import Verdict
from controller.core.strategy import Mode
from controller.core.system import Authority
from controller.runtime.operator import OperatorCommandRefused
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    CHILLER_STATUS,
    DEMAND,
    HEARTBEAT,
    LAMP_REMOTE,
    LAMP_TIMEOUT,
    PLANT_TIMEOUT,
    PUMP,
    PUMP_REMOTE,
    PUMP_STATUS,
    SYSTEMS,
    Bench,
    with_system,
)


async def start_plant(bench: Bench) -> None:
    """Pump, then chiller, running and owned."""
    await bench.command(PUMP, True)
    await bench.wait(310)  # the chiller's minimum off time: its first sight counts as a switch
    await bench.command(CHILLER, True)
    await bench.wait(5)
    assert bench.plant.plant.value(CHILLER_STATUS) is True


def verdict(bench: Bench, point: str) -> Verdict | None:
    return next((each.verdict for id_, each in bench.daemon.writer.holdings.items() if id_ == point), None)


def test_value_first_then_the_bit_then_owned(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        assert bench.plant.writes == [(BRIGHTNESS, 0.5), (LAMP_REMOTE, True)]
        assert verdict(bench, BRIGHTNESS) is verdict(bench, LAMP_REMOTE) is Verdict.OWNED

    bench = Bench(tmp_path)
    assert bench.run(life)
    assert bench.plant.writes[2:] == [(LAMP_REMOTE, False)]
    assert bench.daemon.writer.holdings == {}


def test_a_machine_that_runs_by_itself_is_not_stopped_by_being_taken(tmp_path: Path) -> None:
    """Its command register still says off, from whoever wrote it last; what follows it says that it runs."""
    bench = Bench(tmp_path)
    for status in (PUMP_STATUS, CHILLER_STATUS):
        bench.plant.plant.set(status, True)

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        await bench.command(PUMP, True)
        await bench.command(CHILLER, True)
        await bench.wait(30)
        assert bench.plant.written(CHILLER) == [True], "no minimum off time holds back what is not off"
        assert bench.plant.plant.value(CHILLER_REMOTE) is True
        assert bench.plant.plant.value(CHILLER_STATUS) is True
        bench.plant.plant.set(CHILLER_STATUS, False)  # its own controls stop it

    assert bench.run(life)


def test_a_machine_whose_value_is_refused_is_not_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.plant.lights.refuse(BRIGHTNESS)

    async def life(bench: Bench) -> None:
        await bench.wait(300)
        assert bench.plant.written(LAMP_REMOTE) == []
        bench.plant.lights.accept(BRIGHTNESS)
        await bench.wait(600)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert bench.run(life)


def test_a_machine_that_ignored_its_command_is_taken_again_only_when_it_shows_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.plant.lights.ignore(BRIGHTNESS)

    async def life(bench: Bench) -> None:
        await bench.wait(900)
        bits = bench.plant.written(LAMP_REMOTE)
        assert bits[0] is True
        assert bits.count(False) == 1, "handed back once, and not taken at every retry"
        bench.plant.lights.ignored.clear()
        await bench.wait(600)
        assert verdict(bench, LAMP_REMOTE) is Verdict.OWNED

    assert bench.run(life)


def test_a_device_time_out_is_kept_from_passing(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.writes.clear()
        await bench.wait(10 * LAMP_TIMEOUT.total_seconds())

    bench = Bench(tmp_path)
    bench.run(life)
    assert 19 <= bench.plant.written(LAMP_REMOTE).count(True) <= 21
    commands = bench.events(EventKind.COMMAND, LAMP_REMOTE)[:-1]  # without the release
    assert len(commands) == 1, "telling a device again what it does already is no news"


def test_the_heartbeat_lives_as_long_as_anything_is_held(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(60)
        assert bench.plant.written(HEARTBEAT) == []
        await bench.command(PUMP, True, 300)
        await bench.wait(290)
        beats = bench.plant.written(HEARTBEAT)
        assert len(beats) >= 280 / (PLANT_TIMEOUT.total_seconds() / 2), "at least twice in every time-out"
        assert all(one != other for one, other in itertools.pairwise(beats))
        await bench.wait(120)
        assert bench.plant.plant.value(HEARTBEAT) == 0
        bench.plant.writes.clear()
        await bench.wait(120)
        assert bench.plant.writes == [each for each in bench.plant.writes if each[0] in (BRIGHTNESS, LAMP_REMOTE)]

    assert Bench(tmp_path).run(life)


def test_a_chiller_does_not_start_without_its_pump(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(CHILLER, True)
        await bench.wait(120)
        assert True not in bench.plant.written(CHILLER)
        assert "not started" in bench.daemon.scan.controls[CHILLER].limit.en or (
            "pump_1.status" in bench.daemon.scan.controls[CHILLER].limit.en
        )
        await bench.command(PUMP, True)
        await bench.wait(400)
        assert bench.plant.plant.value(CHILLER_STATUS) is True

    bench = Bench(tmp_path)
    bench.run(life)


def test_a_chiller_whose_pump_is_proven_off_stops_at_once(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await start_plant(bench)
        bench.plant.plant.set(PUMP_STATUS, False)
        await bench.wait(3)
        assert bench.plant.plant.value(CHILLER) is False, "within its minimum on time"

    Bench(tmp_path).run(life)


def test_a_running_chiller_whose_pump_is_lost_from_sight_goes_back_to_its_own_controls(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await start_plant(bench)
        bench.plant.plant.refuse(PUMP_STATUS)
        await bench.wait(3)
        assert bench.plant.plant.value(CHILLER_REMOTE) is False
        assert bench.plant.written(CHILLER) == [True], "nobody told it to stop"
        assert bench.plant.plant.value(PUMP_REMOTE) is True

    bench = Bench(tmp_path)
    bench.run(life)


# --- letting go in order ----------------------------------------------------------------------------------------------


def test_the_pumps_stay_until_the_chiller_has_stopped_and_its_overrun_has_passed(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await start_plant(bench)
        began = bench.clock.monotonic()

        def original_controls(point: str, value: object) -> None:
            if (point, value) == (CHILLER_REMOTE, False):
                stop_at.append(bench.clock.monotonic())
            if (point, value) == (PUMP_REMOTE, False):
                pump_at.append(bench.clock.monotonic())

        stop_at: list[float] = []
        pump_at: list[float] = []
        bench.plant.plant.on_write = original_controls
        await bench.daemon.set_authority("plant", Authority.ORIGINAL, "operator")
        await bench.wait(200)
        assert stop_at
        assert stop_at[0] - began <= 2
        assert pump_at == [], "its own controls run the chiller on"
        assert verdict(bench, PUMP_REMOTE) is Verdict.OWNED
        bench.plant.plant.set(CHILLER_STATUS, False)
        stopped = bench.clock.monotonic()
        await bench.wait(120)
        assert 60 <= pump_at[0] - stopped <= 63
        assert bench.daemon.writer.ledger.held_of(SYSTEMS[1]) == []

    Bench(tmp_path).run(life)


def test_the_heartbeat_goes_on_while_pumps_wait_for_their_turn(tmp_path: Path) -> None:
    """In `original`, too: without it the device would drop the pumps before the chiller has stopped."""

    async def life(bench: Bench) -> None:
        await start_plant(bench)
        await bench.daemon.set_authority("plant", Authority.ORIGINAL, "operator")
        await bench.wait(5)
        bench.plant.writes.clear()
        await bench.wait(300)
        assert len(bench.plant.written(HEARTBEAT)) >= 300 / (PLANT_TIMEOUT.total_seconds() / 2)
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(70)
        bench.plant.writes.clear()
        await bench.wait(300)
        assert bench.plant.written(HEARTBEAT) == []

    Bench(tmp_path).run(life)


def test_points_with_a_time_out_are_kept_while_they_wait_for_their_turn(tmp_path: Path) -> None:
    """The lamp may not go back before the chiller of another step has; here its own system is turned around."""
    lights = SYSTEMS[0]
    first, last = lights.release
    order = (last, first)
    bench = Bench(tmp_path, systems=with_system(SYSTEMS, "garage", release=order))

    async def life(bench: Bench) -> None:
        await bench.wait(5)
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "operator")
        bench.plant.writes.clear()
        await bench.wait(120)
        # The value waits for the bit and the bit for the value: a declaration that never ends. Nothing may fade.
        assert bench.plant.written(LAMP_REMOTE).count(True) >= 7

    bench.run(life)


def test_stopping_while_the_chiller_will_not_stop_is_told(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await start_plant(bench)
        bench.plant.plant.on_write = None  # the chiller runs on under its own controls

    bench = Bench(tmp_path)
    began = bench.now
    assert bench.run(life) is False
    assert bench.now - began >= timedelta(minutes=10)
    assert set(bench.daemon.writer.holdings) == {PUMP, PUMP_REMOTE, HEARTBEAT}
    assert bench.plant.lights.value(LAMP_REMOTE) is False


def test_what_was_still_to_be_written_is_void_once_we_stop(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        bench.plant.lights.drop()
        await bench.wait(20)
        bench.plant.lights.set(DEMAND, 0.9)
        bench.plant.writes.clear()
        bench.plant.lights.restore()

    bench.run(life)
    assert bench.plant.written(BRIGHTNESS) == []
    assert True not in bench.plant.written(LAMP_REMOTE)


# --- authority --------------------------------------------------------------------------------------------------------


def test_in_original_nothing_is_ever_written(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(300)
        with pytest.raises(OperatorCommandRefused, match="original controls"):
            await bench.command(BRIGHTNESS, 0.7)
        assert bench.daemon.scan.controls[BRIGHTNESS].allowed == 0.5, "what would be is shown"
        await bench.wait(60)

    bench = Bench(tmp_path, first_authority=Authority.ORIGINAL)
    assert bench.run(life)
    assert bench.plant.writes == []


def test_original_has_the_lamps_back_within_two_scans_and_for_good(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "operator")
        await bench.wait(2)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        bench.plant.writes.clear()

    async def after(bench: Bench) -> None:
        await bench.wait(100)

    bench = Bench(tmp_path)
    assert bench.run(life)
    assert bench.run(after)
    assert bench.plant.writes == [], "authority outlives the daemon"


def test_ten_times_there_and_back(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        for _ in range(10):
            await bench.daemon.set_authority("garage", Authority.TIDEWATT, "operator")
            await bench.wait(5)
            assert bench.plant.lights.value(LAMP_REMOTE) is True
            assert verdict(bench, BRIGHTNESS) is Verdict.OWNED
            await bench.daemon.set_authority("garage", Authority.ORIGINAL, "operator")
            await bench.wait(5)
            assert bench.plant.lights.value(LAMP_REMOTE) is False
            assert bench.daemon.writer.holdings == {}

    bench = Bench(tmp_path)
    assert bench.run(life)
    assert bench.alarms(LAMP_REMOTE) == bench.alarms(BRIGHTNESS) == []


def test_switching_faster_than_the_scan_ends_where_the_last_switch_says(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        for _ in range(21):
            for authority in (Authority.TIDEWATT, Authority.ORIGINAL):
                await bench.daemon.set_authority("garage", authority, "operator")
                await bench.wait(0.13)
        await bench.wait(5)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.daemon.writer.holdings == {}

    assert Bench(tmp_path).run(life)


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_a_strategy_in_shadow_or_off_never_writes(tmp_path: Path, mode: Mode) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(600)
        shadow = bench.daemon.scan.controls[BRIGHTNESS].shadow.winner
        assert (shadow is not None) is (mode is Mode.SHADOW)
        bench.plant.lights.set(DEMAND, -1.0)
        await bench.wait(bench.lease.total_seconds() + 2)
        assert bench.daemon.scan.controls[BRIGHTNESS].shadow.winner is None, "shadow wishes end with their lease, too"

    bench = Bench(tmp_path, mode=mode)
    assert bench.run(life)
    assert bench.plant.writes == []
