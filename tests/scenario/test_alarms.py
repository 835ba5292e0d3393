"""The list of alarms beside a daemon at work: what raises them, what keeps them quiet, what survives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.alarm_rule import Above, Adjustment, Equals, IsBad, PointRule
from controller.core.event import EventKind
from controller.core.site import Alarming, Site
from controller.core.system import Condition
from controller.core.text import Text
from controller.runtime.alarm_actions import AlarmActionRefused, AlarmActions
from controller.runtime.alarm_rows import counts, rows
from controller.runtime.alarms import Alarms
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_STATUS,
    DEMAND,
    LAMP_REMOTE,
    LIGHTS,
    MOTION,
    Bench,
)
from tests.scenario.test_disk_trouble import empty_the_disk, fill_the_disk
from tests.scenario.test_taking_over import start_plant

HIGH = Behaviour(Priority.HIGH)
BRIGHT = PointRule("too_bright", DEMAND, Above(0.7, 0.1), HIGH, Wording(Text("too bright", "过亮")))
IGNORED, EFFECT = f"{BRIGHTNESS}:ignored", f"{CHILLER}:effect_missing"
TOO_BRIGHT = f"{DEMAND}:too_bright"


@dataclass
class AlarmBench(Bench):
    alarms_of_site: Alarming = field(default_factory=Alarming)

    def site(self) -> Site:
        return replace(super().site(), alarms=self.alarms_of_site)

    @property
    def list(self) -> Alarms:
        return self.daemon.alarms

    @property
    def people(self) -> AlarmActions:
        return self.daemon.alarm_actions

    def rows(self, *, everything: bool = False) -> list[Any]:
        daemon = self.daemon
        return rows(
            daemon.alarms.all,
            daemon.site.points,
            daemon.image.present,
            daemon.clock.monotonic(),
            everything=everything,
        )

    def states(self, *, everything: bool = False) -> Mapping[str, str]:
        return {row["id"]: row["state"] for row in self.rows(everything=everything)}

    def ignore_lamp(self) -> None:
        self.plant.lights.ignore(BRIGHTNESS)
        self.plant.lights.set(DEMAND, 0.8)

    def obey_lamp(self) -> None:
        self.plant.lights.ignored.clear()


def bench_with(tmp_path: Path, *rules: PointRule, adjustments: tuple[Adjustment, ...] = ()) -> AlarmBench:
    return AlarmBench(tmp_path, alarms_of_site=Alarming(rules, adjustments))


# --- without any file -------------------------------------------------------------------------------------------------


def test_what_the_daemon_tells_is_a_row_until_it_is_over(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, AlarmBench)
        await bench.wait(10)
        assert bench.rows() == []
        bench.ignore_lamp()
        await bench.wait(60)
        (row,) = bench.rows()
        assert (row["id"], row["state"], row["priority"]) == (IGNORED, "unacknowledged", "high")
        assert row["value"] == 0.5
        assert row["unit"] == "fraction"
        assert "local or hand" in row["advice"]["en"]
        assert "就地" in row["advice"]["zh"]
        assert counts(bench.list.all)["active"] == 1
        bench.obey_lamp()
        await bench.wait(900)
        assert bench.rows(everything=True) == []
        assert bench.alarms(BRIGHTNESS) == [("ignored", "active"), ("ignored", "cleared")], "told once, as ever"

    assert AlarmBench(tmp_path).run(life)


def test_acknowledged_is_told_with_a_name_and_kept_over_a_crash(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.ignore_lamp()
        await bench.wait(60)
        await bench.people.acknowledge(IGNORED, "Li Na")
        assert bench.states() == {IGNORED: "acknowledged"}
        event = bench.events(EventKind.ALARM, BRIGHTNESS)[-1]
        assert (event.body["state"], event.body["who"]) == ("acknowledged", "Li Na")
        with pytest.raises(AlarmActionRefused, match="nothing to acknowledge"):
            await bench.people.acknowledge(IGNORED, "Li Na")
        with pytest.raises(AlarmActionRefused, match="no alarm 'nonsense'"):
            await bench.people.acknowledge("nonsense", "Li Na")

    bench.run(life, kill=True)

    async def next_life(_: Bench) -> None:
        await bench.wait(60)
        assert bench.states() == {IGNORED: "acknowledged"}, "it still is, and nobody is called twice"
        (row,) = bench.rows()
        assert row["who"] == "Li Na"
        await bench.wait(600)
        assert bench.states() == {IGNORED: "acknowledged"}

    bench.run(next_life, kill=True)
    bench.obey_lamp()
    bench.plant.lights.set(DEMAND, 0.5)

    async def last_life(_: Bench) -> None:
        await bench.wait(10)
        await bench.wait(600)
        assert bench.states(everything=True) == {}, "what nobody raises again after a restart is over"

    assert bench.run(last_life)


def test_shelving_needs_a_reason_and_an_end_and_ends(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.ignore_lamp()
        await bench.wait(60)
        with pytest.raises(AlarmActionRefused, match="needs an end, at most 72 h"):
            await bench.people.shelve(IGNORED, timedelta(days=30), "Li Na", "lamp is being changed")
        with pytest.raises(AlarmActionRefused, match="say why"):
            await bench.people.shelve(IGNORED, timedelta(hours=2), "Li Na", "")
        await bench.people.shelve(IGNORED, timedelta(minutes=20), "Li Na", "lamp is being changed")
        (row,) = bench.rows()
        assert (row["state"], row["shelved_for_s"], row["why"]) == ("shelved", 1200.0, "lamp is being changed")
        await bench.wait(600)

    bench.run(life, kill=True)

    async def next_life(_: Bench) -> None:
        await bench.wait(500)
        (row,) = bench.rows()
        assert row["state"] == "shelved"
        assert row["shelved_for_s"] == pytest.approx(100, abs=2), "the remaining time, not all of it anew"
        await bench.wait(110)
        assert bench.states() == {IGNORED: "unacknowledged"}

    bench.run(next_life, kill=True)


@pytest.mark.slow
def test_out_of_service_has_no_end(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.ignore_lamp()
        await bench.wait(60)
        await bench.people.take_out_of_service(IGNORED, "Li Na", "lamp is gone")
        await bench.wait(3600)
        assert bench.states() == {IGNORED: "out_of_service"}
        await bench.people.put_into_service(IGNORED, "Li Na")
        assert bench.states() == {IGNORED: "unacknowledged"}

    bench.run(life)


def test_a_lost_link_is_one_alarm(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, *(PointRule("bad", point, IsBad(), HIGH, Wording()) for point in (DEMAND, MOTION)))

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.ignore_lamp()
        await bench.wait(60)
        bench.plant.lights.drop()
        await bench.wait(5)
        assert bench.states() == {}, "a connection may blink; what it explains is suppressed at once"
        await bench.wait(10)
        assert bench.states() == {f"{LIGHTS}:link_lost": "unacknowledged"}
        hidden = bench.states(everything=True)
        assert hidden[f"{DEMAND}:bad"] == hidden[f"{MOTION}:bad"] == hidden[IGNORED] == "suppressed"
        bench.plant.lights.restore()
        await bench.wait(90)
        assert bench.states() == {IGNORED: "unacknowledged"}, "it was not the link's fault"
        told = [(event.body["alarm"], event.body["state"]) for event in bench.events(EventKind.ALARM, LIGHTS)]
        assert told == [("link lost", "active"), ("link lost", "cleared")]
        assert bench.alarms(DEMAND) == []

    bench.run(life)


def test_a_lost_device_is_one_alarm_and_not_its_link(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, PointRule("bad", DEMAND, IsBad(), HIGH, Wording()))

    async def life(_: Bench) -> None:
        await bench.wait(10)
        for point in (DEMAND, MOTION, BRIGHTNESS, LAMP_REMOTE):
            bench.plant.lights.refuse(point, "no answer from unit 7")
        await bench.wait(20)
        shown = {id_: state for id_, state in bench.states().items() if not id_.startswith("desk:")}
        assert shown == {"lights_gateway:device_lost": "unacknowledged"}
        (row,) = (row for row in bench.rows() if row["alarm"] == "device lost")
        assert "unit 7" in row["cause"]["en"]
        for point in (DEMAND, MOTION, BRIGHTNESS, LAMP_REMOTE):
            bench.plant.lights.accept(point)
        await bench.wait(30)
        assert bench.states() == {}

    bench.run(life)


def test_a_strategy_at_fault_is_an_alarm_until_it_decides_again(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, 7.0)
        await bench.wait(65)
        (row,) = bench.rows()
        assert (row["id"], row["priority"]) == ("desk:strategy_at_fault", "medium")
        bench.plant.lights.set(DEMAND, 0.5)
        await bench.wait(65)
        assert bench.rows() == []

    bench.run(life)


def test_a_link_that_refuses_us_is_one_alarm(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        note = bench.daemon.journal.note
        note(EventKind.LINK, LIGHTS, {"state": "lost", "cause": "wrong password"})
        note(EventKind.ALARM, LIGHTS, {"alarm": "link refused", "state": "active", "reason": "no", "reason_zh": "否"})
        await bench.wait(30)
        (row,) = bench.rows()
        assert (row["id"], row["cause"]) == (f"{LIGHTS}:link_refused", {"en": "no", "zh": "否"})
        note(EventKind.LINK, LIGHTS, {"state": "back"})
        note(EventKind.ALARM, LIGHTS, {"alarm": "link refused", "state": "cleared"})
        await bench.wait(30)
        assert bench.states(everything=True) == {}

    bench.run(life)


def test_what_happened_once_waits_to_be_seen(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        body = {"alarm": "stored state not used", "state": "active", "cause": "it is of another version"}
        bench.daemon.journal.note(EventKind.ALARM, "desk", body)
        await bench.wait(2)
        (row,) = bench.rows()
        assert (row["id"], row["state"]) == ("desk:stored_state_not_used", "returned")
        await bench.people.acknowledge(row["id"], "Li Na")
        assert bench.states(everything=True) == {}

    bench.run(life)


@pytest.mark.fault("full disk", lost="what was acknowledged since")
def test_a_full_disk_stops_neither_the_list_nor_control(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = bench_with(tmp_path, BRIGHT)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        fill_the_disk(tmp_path, ["alarm_standing"])
        bench.plant.lights.set(DEMAND, 0.9)
        await bench.wait(60)
        assert bench.states() == {TOO_BRIGHT: "unacknowledged"}
        assert bench.plant.lights.value(BRIGHTNESS) == 0.9
        with pytest.raises(AlarmActionRefused, match="a restart now would forget it"):
            await bench.people.acknowledge(TOO_BRIGHT, "Li Na")
        empty_the_disk(tmp_path, ["alarm_standing"])
        await bench.wait(5)
        (stored,) = await bench.daemon.store.load_alarm_standings()
        assert stored.content["acknowledged"] is True

    assert bench.run(life)
    told = [record for record in caplog.records if "could not be stored" in record.message]
    assert len(told) == 1, "once, not every second"


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_rule_on_a_point(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, replace(BRIGHT, behaviour=Behaviour(Priority.URGENT, timedelta(seconds=5))))

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, 0.9)
        await bench.wait(3)
        assert bench.states() == {}
        await bench.wait(4)
        (row,) = bench.rows()
        assert (row["id"], row["priority"], row["value_then"]) == (TOO_BRIGHT, "urgent", 0.9)
        bench.plant.lights.set(DEMAND, 0.65)
        await bench.wait(3)
        assert bench.states() == {TOO_BRIGHT: "unacknowledged"}, "within the deadband nothing changes"
        bench.plant.lights.set(DEMAND, 0.5)
        await bench.wait(2)
        assert bench.states() == {}
        events = bench.events(EventKind.ALARM, DEMAND)
        assert [event.body["state"] for event in events] == ["active", "cleared"]
        assert events[0].body["reason_zh"] == "过亮"

    bench.run(life)


def test_a_latching_rule_waits_for_a_person(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, replace(BRIGHT, behaviour=replace(HIGH, latching=True)))

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, 0.9)
        await bench.wait(3)
        bench.plant.lights.set(DEMAND, 0.5)
        await bench.wait(3)
        assert bench.states() == {TOO_BRIGHT: "returned"}

    bench.run(life)

    async def next_life(_: Bench) -> None:
        await bench.wait(10)
        assert bench.states() == {TOO_BRIGHT: "returned"}
        await bench.people.acknowledge_all("Li Na")
        assert bench.states() == {}
        assert [event.body["state"] for event in bench.events(EventKind.ALARM, DEMAND)] == ["acknowledged"]

    bench.run(next_life)


def test_a_delay_goes_on_after_a_crash(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, replace(BRIGHT, behaviour=Behaviour(Priority.HIGH, timedelta(minutes=10))))
    bench.plant.lights.set(DEMAND, 0.9)

    async def life(_: Bench) -> None:
        await bench.wait(400)

    bench.run(life, kill=True)

    async def next_life(_: Bench) -> None:
        await bench.wait(150)
        assert bench.states() == {}
        await bench.wait(60)
        assert bench.states() == {TOO_BRIGHT: "unacknowledged"}

    bench.run(next_life, kill=True)


def test_nothing_is_alarming_about_equipment_that_is_off(tmp_path: Path) -> None:
    rule = replace(BRIGHT, only_while=Condition(CHILLER_STATUS, True))
    bench = bench_with(tmp_path, rule, PointRule("runs", CHILLER_STATUS, Equals(True), HIGH, Wording()))

    async def life(_: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.set(DEMAND, 0.9)
        await bench.wait(60)
        assert bench.states() == {}
        assert bench.states(everything=True)[TOO_BRIGHT] == "suppressed"
        await start_plant(bench)
        assert bench.states() == {TOO_BRIGHT: "unacknowledged", f"{CHILLER_STATUS}:runs": "unacknowledged"}

    bench.run(life)


def test_a_site_may_judge_what_is_built_in_otherwise(tmp_path: Path) -> None:
    patient = Behaviour(Priority.LOW, timedelta(minutes=5), latching=True)
    wording = Wording(advice=Text("call Zhang Wei", "联系张伟"))
    bench = bench_with(tmp_path, adjustments=(Adjustment("ignored", frozenset({BRIGHTNESS}), patient, wording),))

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.ignore_lamp()
        await bench.wait(200)
        assert bench.states() == {}
        await bench.wait(200)
        (row,) = bench.rows()
        assert (row["priority"], row["advice"]["zh"]) == ("low", "联系张伟")
        assert row["wrong"]["en"]

    bench.run(life)


def test_a_rule_that_is_gone_leaves_nothing_behind(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, BRIGHT)
    bench.plant.lights.set(DEMAND, 0.9)

    async def life(_: Bench) -> None:
        await bench.wait(20)
        assert bench.states() == {TOO_BRIGHT: "unacknowledged"}

    bench.run(life, kill=True)
    bench.alarms_of_site = Alarming()

    async def next_life(_: Bench) -> None:
        await bench.wait(5)
        assert bench.states(everything=True) == {}
        assert await bench.daemon.store.load_alarm_standings() == []

    bench.run(next_life, kill=True)


# --- thousands at once ------------------------------------------------------------------------------------------------


@pytest.mark.fault("5,000 alarms in a second")
@pytest.mark.slow
def test_five_thousand_alarms_in_a_second_change_no_scan(tmp_path: Path) -> None:
    """A rule for each of 5,000 limits on one point, all passed by one reading; the scans and writes are the same."""
    many = tuple(replace(BRIGHT, name=f"limit_{number}") for number in range(5000))
    scans: list[tuple[Any, ...]] = []
    for rules in ((), many):
        folder = tmp_path / str(len(rules))
        folder.mkdir()
        bench = bench_with(folder, *rules)

        async def life(_: Bench, bench: AlarmBench = bench, expected: int = len(rules)) -> None:
            await bench.wait(10)
            bench.plant.lights.set(DEMAND, 0.8)
            await bench.wait(2)
            assert counts(bench.list.all)["unacknowledged"] == expected
            await bench.wait(60)
            bench.plant.lights.set(DEMAND, 0.5)
            await bench.wait(10)
            assert counts(bench.list.all)["active"] == 0

        assert bench.run(life)
        scans.append((bench.daemon.scan.times.figures(), bench.plant.writes))
    assert scans[0] == scans[1]


def test_built_in_alarms_that_come_and_go_leave_nothing_behind(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        for number in range(5000):
            for state in ("active", "cleared"):
                bench.daemon.journal.note(EventKind.ALARM, f"subject_{number}", {"alarm": "ignored", "state": state})
        await bench.wait(5)
        assert bench.states(everything=True) == {}
        assert await bench.daemon.store.load_alarm_standings() == []

    assert bench.run(life)
