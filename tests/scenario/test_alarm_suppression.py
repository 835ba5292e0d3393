"""Alarms of equipment that is not in auto: nobody is called for what a person or the machine has said already."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.alarm_rule import Above, PointRule
from controller.core.site import Alarming, Site
from controller.core.text import Text
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, Bench
from tests.scenario.test_alarms import IGNORED, AlarmBench
from tests.scenario.test_availability import LAMPS, LOCAL, Selectors

FULL = PointRule(
    "full", BRIGHTNESS, Above(0.7), Behaviour(Priority.HIGH), Wording(Text("full", "全亮")), only_in_auto=True
)


@dataclass
class LocalBench(AlarmBench, Selectors):
    """The bench with a selector at the lamps, and rules."""

    alarms_of_site: Alarming = field(default_factory=Alarming)

    def site(self) -> Site:
        return replace(Selectors.site(self), alarms=self.alarms_of_site)


def _row(bench: AlarmBench, id_: str) -> Any:
    (row,) = [row for row in bench.rows(everything=True) if row["id"] == id_]
    return row


def test_what_is_ignored_by_a_machine_that_is_locked_out_calls_nobody_until_it_is_back(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.ignore(LAMP_REMOTE)  # it does not even let us go
        bench.ignore_lamp()
        await bench.wait(60)
        assert bench.states() == {IGNORED: "unacknowledged"}
        await bench.daemon.lock_out(LAMPS, "Li Na", "ladder at the lamp")
        await bench.wait(5)
        assert IGNORED not in bench.states()
        row = _row(bench, IGNORED)
        assert row["state"] == "suppressed"
        assert row["suppressed_by"]["en"] == "garage.group_1 is locked out by Li Na: ladder at the lamp"
        await bench.daemon.unlock(LAMPS, "Li Na", "", "")
        await bench.wait(60)
        assert bench.states()[IGNORED] == "unacknowledged", "it still is, and is new to whoever looks"

    bench.run(life)


def test_a_rule_may_mean_something_in_auto_only(tmp_path: Path) -> None:
    bench = LocalBench(tmp_path, alarms_of_site=Alarming((FULL, replace(FULL, name="anyway", only_in_auto=False))))
    full, anyway = f"{BRIGHTNESS}:full", f"{BRIGHTNESS}:anyway"

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(LOCAL, True)
        await bench.wait(3)
        bench.plant.lights.set(BRIGHTNESS, 1.0)  # whoever stands there wants light
        await bench.wait(10)
        assert bench.states() == {anyway: "unacknowledged"}
        assert _row(bench, full)["suppressed_by"]["zh"] == "garage.group_1：设备处于就地或手动"
        bench.plant.lights.set(DEMAND, 0.9)
        bench.plant.lights.set(LOCAL, False)
        await bench.wait(40)
        assert bench.states()[full] == "unacknowledged"

    bench.run(life)


def test_put_aside_before_a_crash_it_calls_nobody_after_it(tmp_path: Path) -> None:
    bench = LocalBench(tmp_path, alarms_of_site=Alarming((FULL,)))
    full = f"{BRIGHTNESS}:full"

    async def life(_: Bench) -> None:
        await bench.wait(10)
        await bench.daemon.lock_out(LAMPS, "Li Na", "ladder at the lamp")
        await bench.wait(10)
        bench.plant.lights.set(BRIGHTNESS, 1.0)
        await bench.wait(10)
        assert _row(bench, full)["state"] == "suppressed"

    bench.run(life, kill=True)

    async def next_life(_: Bench) -> None:
        await bench.wait(20)
        assert _row(bench, full)["state"] == "suppressed"
        assert bench.alarms(BRIGHTNESS) == []

    bench.run(next_life)
