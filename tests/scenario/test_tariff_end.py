"""A tariff that ends is told a month before: once, over restarts, until somebody has seen to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from controller.core.event import Event, EventKind
from controller.core.site import Site
from controller.core.tariff import Tariff
from controller.core.tariff_end import end_words
from tests.bench import Bench
from tests.unit.core.test_tariff import CHEAP, DEAR, tariff

ENDING = tariff(CHEAP, DEAR)  # on 2026-12-31
ENDLESS = tariff()
# Eight in the morning, 31 days before, in the bench's Shanghai: the first day on which it is told.
TOLD = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)


@dataclass
class TariffBench(Bench):
    tariff: Tariff | None = ENDING

    def site(self) -> Site:
        return replace(Bench.site(self), tariff=self.tariff, systems=(), links=(), points={}, mounts=())

    def told(self) -> Iterator[Event]:
        return (event for event in self.events(EventKind.ALARM, "bench") if event.body["alarm"] == "tariff ends")


async def half_an_hour(bench: Bench) -> None:
    await bench.wait(1800)


def states(bench: TariffBench, at: datetime) -> list[object]:
    bench.now = at
    assert bench.run(half_an_hour)
    return [event.body["state"] for event in bench.told()]


def test_it_is_told_on_the_day_and_not_again_after_a_restart(tmp_path: Path) -> None:
    bench = TariffBench(tmp_path)
    assert states(bench, datetime(2026, 11, 29, 23, 45, tzinfo=UTC)) == []
    assert states(bench, datetime(2026, 11, 30, 23, 45, tzinfo=UTC)) == ["active"], "at start"
    assert states(bench, datetime(2026, 12, 1, 23, 45, tzinfo=UTC)) == []
    bench.tariff = ENDLESS
    assert states(bench, datetime(2026, 12, 2, 23, 45, tzinfo=UTC)) == ["cleared"]
    assert states(bench, datetime(2026, 12, 3, 23, 45, tzinfo=UTC)) == []


@pytest.mark.slow
def test_a_daemon_that_runs_through_tells_it_in_the_morning(tmp_path: Path) -> None:
    bench = TariffBench(tmp_path, now=datetime(2026, 11, 30, 15, 55, tzinfo=UTC))

    async def night(bench: Bench) -> None:
        assert isinstance(bench, TariffBench)
        await bench.wait(8 * 3600 + 600)
        (event,) = bench.told()
        assert (event.at - TOLD).total_seconds() < 1
        assert "ends on 2026-12-31 and nothing follows" in str(event.body["reason"])
        assert "2026-12-31" in str(event.body["reason_zh"])

    assert bench.run(night)


def test_a_site_without_a_tariff_has_nothing_that_ends(tmp_path: Path) -> None:
    assert states(TariffBench(tmp_path, tariff=None), TOLD) == []


@pytest.mark.parametrize(
    "today, words",
    [
        (date(2026, 11, 30), None),
        (date(2026, 12, 1), "ends on 2026-12-31"),
        (date(2026, 12, 31), "ends on 2026-12-31"),
        (date(2027, 1, 1), "ended on 2026-12-31 and nothing follows: energy has no price"),
    ],
)
def test_what_is_said_on_which_day(today: date, words: str | None) -> None:
    told = end_words(ENDING, today)
    assert (told is None) == (words is None)
    assert words is None or (told is not None and words in told.en)
