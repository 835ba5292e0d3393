"""What the daemon says of itself: well while it is, and in words what is wrong when it is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.core.errors import HistorianError
from controller.core.event import EventKind
from controller.core.health import Facts, findings
from controller.core.ports import RecordedSample
from controller.historian.memory import MemoryHistorian
from controller.runtime.health import health
from controller.runtime.overruns import TELL_EVERY_S, Overruns
from tests.bench import DEMAND, PUMP, Bench
from tests.scenario.test_clock_watch import ClockBench, Machine
from tests.scenario.test_disk_trouble import empty_the_disk, fill_the_disk


async def wrong(bench: Bench) -> dict[str, str]:
    """Subject to severity of what is not well now."""
    told: Any = await health(bench.daemon)
    return {each["subject"]: each["severity"] for each in told["findings"]}


def test_a_daemon_at_work_is_well(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(120)
        told: Any = await health(bench.daemon)
        assert told["findings"] == []
        assert told["scan"]["count"] > 100
        assert told["scan"]["age_s"] <= 1.0
        assert (told["scan"]["overruns"], told["scan"]["missed"]) == (0, 0)
        assert told["history"] == {"behind_s": 0.0, "pending": 0, "dropped": 0, "trouble": ""}
        assert told["held"] > 0
        assert told["configuration"] == "bench"

    Bench(tmp_path).run(life)


def test_a_lost_link_is_told_with_its_trouble_and_forgotten_when_it_is_back(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.drop()
        await bench.wait(20)
        told: Any = await health(bench.daemon)
        (finding,) = told["findings"]
        assert (finding["subject"], finding["severity"]) == ("link", "critical")
        assert "link lights is down" in finding["wrong"]["en"]
        assert "连接 lights 中断" in finding["wrong"]["zh"]
        bench.plant.lights.restore()
        await bench.wait(120)
        assert await wrong(bench) == {}

    Bench(tmp_path).run(life)


class Refusing(MemoryHistorian):
    """refuses: whether its disk is full now."""

    refuses = False

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        if self.refuses:
            raise HistorianError("disk full")
        await super().append_samples(rows)


class RefusingBench(Bench):
    def open_historian(self) -> Refusing:
        return Refusing()


def test_history_that_falls_behind_says_by_how_much_and_why(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        assert isinstance(bench.historian, Refusing)
        bench.historian.refuses = True
        bench.plant.lights.set(DEMAND, 0.6)
        await bench.wait(30)
        assert await wrong(bench) == {}, "a disk may be busy for a while"
        await bench.wait(90)
        told: Any = await health(bench.daemon)
        assert 115 < told["history"]["behind_s"] < 125
        assert "disk full" in told["findings"][0]["wrong"]["en"]
        bench.historian.refuses = False
        await bench.wait(5)
        told = await health(bench.daemon)
        assert (told["findings"], told["history"]["behind_s"] <= 1.0) == ([], True)

    RefusingBench(tmp_path).run(life)


def test_a_store_that_takes_nothing_is_told_before_anything_depends_on_it(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        fill_the_disk(bench.tmp_path, only=["run"])
        assert await wrong(bench) == {"store": "critical"}
        empty_the_disk(bench.tmp_path, ["run"])
        assert await wrong(bench) == {}

    Bench(tmp_path).run(life)


def test_a_run_that_ended_without_letting_go_is_told(tmp_path: Path) -> None:
    async def short(bench: Bench) -> None:
        await bench.wait(20)

    async def after(bench: Bench) -> None:
        await bench.wait(20)
        assert await wrong(bench) == {"restart": "warning"}
        told: Any = await health(bench.daemon)
        assert re.search(r"which began \d\d s ago, ended", told["findings"][0]["wrong"]["en"])

    async def latched(bench: Bench) -> None:
        await bench.wait(20)
        assert await wrong(bench) == {"latched": "critical"}

    bench = Bench(tmp_path)
    bench.run(short, kill=True)
    bench.run(after)
    for _ in range(3):
        bench.run(short, kill=True)
    bench.run(latched)
    yesterday = Facts(scan_every=1.0, scan_age=0.5, running_for=86_401.0, earlier_run_ended_cleanly=False)
    assert findings(yesterday) == (), "for a day"


def test_a_clock_that_nobody_believes_is_told_until_a_time_server_keeps_it(tmp_path: Path) -> None:
    bench = ClockBench(tmp_path, machine=Machine(is_now=False, was=False))

    async def life(_: Bench) -> None:
        await bench.wait(20)
        assert await wrong(bench) == {"clock": "critical"}
        bench.machine.is_now = True
        await bench.wait(20)
        assert await wrong(bench) == {}

    bench.run(life)


def test_a_strategy_that_its_faults_switched_off_is_told(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        bench.plant.lights.set(DEMAND, -1.0)
        await bench.wait(3600)
        told: Any = await health(bench.daemon)
        (finding,) = told["findings"]
        assert finding["subject"] == "strategy"
        assert "a strategy's own mistake" in finding["wrong"]["en"]
        bench.plant.lights.set(DEMAND, 0.5)
        bench.daemon.retry("desk", "Li Na")
        await bench.wait(5)
        assert await wrong(bench) == {}

    Bench(tmp_path).run(life)


def test_overruns_are_counted_and_told_at_most_once_a_minute() -> None:
    overruns = Overruns()
    assert overruns.growth(0.0) is None
    overruns.note(2.5, 2, 10.0)
    assert overruns.growth(10.0) == (1, 2, 2.5)
    assert overruns.growth(11.0) is None, "it is told once"
    for second in range(12, 60):
        overruns.note(1.1 + second / 100, 1, float(second))
        assert overruns.growth(float(second)) is None
    assert overruns.growth(10.0 + TELL_EVERY_S) == (49, 50, pytest.approx(1.69)), "the worst of the minute"
    assert overruns.growth(1000.0) is None
    assert (overruns.count, overruns.missed, overruns.longest) == (49, 50, 2.5)


def test_no_overrun_is_told_where_none_was(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(300)
        assert [each.body.get("state") for each in bench.events(EventKind.DAEMON, "scan")] == []

    Bench(tmp_path).run(life)
