"""A second database that is dead, slow or refuses: the same scans, the same commands, the same history."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from controller.cli.view import Frame, draw
from controller.core.errors import HistorianError, RecordsRefused, RemoteUnreachable
from controller.core.event import Event, EventKind
from controller.core.point import PointId
from controller.core.ports import RecordedSample
from controller.core.sample import Scalar
from controller.core.text import Language
from controller.historian.memory import MemoryHistorian
from controller.runtime import point_status, status
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, PUMP, START, Bench


class Taking:
    """A second database in memory."""

    name = "influxdb"

    def __init__(self) -> None:
        self.records: list[RecordedSample | Event] = []

    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        self.records += records
        return len(records)

    async def close(self) -> None:
        """Nothing is open."""


class Dead(Taking):
    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        raise RemoteUnreachable("refused")


class Silent(Taking):
    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        await asyncio.get_running_loop().create_future()
        return 0


class Refusing(Taking):
    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        raise RecordsRefused("bad lines")


@dataclass(frozen=True, slots=True)
class Day:
    """What a building would notice, and what its own history says."""

    writes: list[tuple[PointId, Scalar | None]]
    scans: int
    missed: int
    recorded: list[tuple[object, Scalar | None]]


async def life(bench: Bench) -> None:
    await bench.command(PUMP, True)
    for demand in (0.3, 0.8, 0.4):
        bench.plant.lights.set(DEMAND, demand)
        await bench.wait(120)


def lived(bench: Bench) -> Day:
    recorded: list[tuple[object, Scalar | None]] = []

    async def looked_back_on(bench: Bench) -> None:
        await life(bench)
        samples = await bench.historian.read_samples(BRIGHTNESS, START, bench.clock.now())
        recorded.extend((each.timestamp, each.value) for each in samples)

    assert bench.run(looked_back_on) is True
    scan = bench.daemon.scan
    return Day(bench.plant.writes, scan.count, scan.times.overruns.missed, recorded)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return lived(Bench(tmp_path_factory.mktemp("without")))


@pytest.mark.parametrize("remote", [Taking(), Dead(), Silent(), Refusing()], ids=lambda each: type(each).__name__)
def test_control_and_history_are_the_same_with_it_as_without(remote: Taking, without: Day, tmp_path: Path) -> None:
    bench = Bench(tmp_path, remote=remote)
    assert lived(bench) == without
    assert bench.plant.lights.value(LAMP_REMOTE) is False


class Full(MemoryHistorian):
    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        raise HistorianError("the disk is full")


class WithoutDisk(Bench):
    def open_historian(self) -> MemoryHistorian:
        return Full()


@pytest.mark.parametrize("kind", [Bench, WithoutDisk])
def test_every_sample_is_copied_once_also_while_the_disk_is_full(kind: type[Bench], tmp_path: Path) -> None:
    remote = Taking()
    kind(tmp_path, remote=remote).run(life)
    samples = [each for each in remote.records if not isinstance(each, Event)]
    demands = [sample.value for point, sample in samples if point == DEMAND]
    assert list(dict.fromkeys(demands)) == [0.3, 0.8, 0.4]
    assert len(set(samples)) == len(samples)


def history_shown(folder: Path, remote: Taking | None) -> dict[str, Any]:
    """What the status tells of history after a minute."""
    told: list[Any] = []

    async def look(bench: Bench) -> None:
        await bench.wait(60)
        told.append(status.status(bench.daemon)["history"])

    Bench(folder, remote=remote).run(look)
    return told[0]


def test_the_status_tells_what_it_got(tmp_path: Path) -> None:
    shown = history_shown(tmp_path, remote := Taking())["remote"]
    assert 0 < shown["sent"] <= len(remote.records)
    assert (shown["name"], shown["trouble"], shown["dropped"]) == ("influxdb", "", 0)


def test_the_status_tells_what_is_wrong(tmp_path: Path) -> None:
    shown = history_shown(tmp_path, Dead())["remote"]
    assert (shown["sent"], shown["trouble"]) == (0, "refused")
    assert shown["pending"] > 0


def test_a_site_without_a_second_database_tells_of_none(tmp_path: Path) -> None:
    assert history_shown(tmp_path, None)["remote"] is None


@pytest.mark.parametrize(
    "remote, language, told",
    [
        (Taking(), "en", "● influxdb\n"),
        (Dead(), "en", "○ influxdb [0-9]+ waiting\n"),
        (Dead(), "zh", "○ influxdb [0-9]+ 条待发\n"),
        (Refusing(), "en", "● influxdb [0-9]+ lost\n"),
    ],
)
def test_the_live_view_shows_it_beside_the_links(remote: Taking, language: Language, told: str, tmp_path: Path) -> None:
    shown: list[str] = []

    async def look(bench: Bench) -> None:
        await bench.wait(300)
        frame = Frame(status.status(bench.daemon), point_status.points(bench.daemon), 1.0, language)
        console = Console(width=200, file=StringIO(), record=True)
        console.print(draw(frame, 200))
        shown.append(re.sub(" +\n", "\n", console.export_text()))

    Bench(tmp_path, remote=remote).run(look)
    assert re.search(told, shown[0]), shown[0][:400]


def test_a_transition_is_one_event(tmp_path: Path) -> None:
    bench = Bench(tmp_path, remote=Dead())
    bench.run(life)
    told = bench.events(EventKind.DAEMON, "influxdb")
    assert [(event.body["state"], event.body["cause"]) for event in told] == [("lost", "refused")]
