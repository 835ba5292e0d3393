"""A site's own forecasts over nights and days of virtual time: trained, made, scored, recorded; whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.core.event import Event, EventKind
from controller.core.forecast import Forecaster, Source
from controller.core.point import Point, PointId, PointKind
from controller.core.sample import Quality, Sample
from controller.core.site import ForecastTarget, Site
from controller.core.strategy import Decision, Ladder, Observation, PlanInput, Role
from controller.core.text import Text
from controller.core.units import Unit
from controller.forecasting.jobs import FORECASTER
from controller.historian.memory import MemoryHistorian
from controller.runtime import status
from tests import forecasters
from tests.bench import Bench, Follow, FollowState
from tests.unit.forecasting import support as building

pytestmark = pytest.mark.slow

POWER = PointId("meter.main_1.power")
AIR = PointId("site.weather_station_1.outdoor_air_temperature")
# A quarter of an hour to midnight between a Sunday and a Monday in Shanghai.
EVE = datetime(2026, 7, 5, 15, 45, tzinfo=UTC)
MIDNIGHT = datetime(2026, 7, 5, 16, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
SCAN_EVERY = timedelta(seconds=60)
HOUR = 3600.0

Load = Callable[[datetime], float | None]


def weekly(at: datetime) -> float:
    """Repeats itself every week, to the digit."""
    hour = at.weekday() * 24 + at.hour
    return 100.0 + 40.0 * math.sin(hour / 168 * 14 * math.pi) + hour % 5


def air(at: datetime) -> float:
    return 25.0 + 5.0 * math.sin((at.hour - 9) / 24 * 2 * math.pi)


class Kept(MemoryHistorian):
    """Outlives the daemon, as a file does."""

    async def close(self) -> None:
        pass


def recorded(days: float, load: Load = weekly, warmth: Callable[[datetime], float] = air) -> Kept:
    """Samples every quarter of an hour, some of them twice, from so many days before the eve; what the site will
    measure is there, too."""
    historian = Kept()
    moments = [EVE - timedelta(days=days) + number * QUARTER for number in range(round((days + 3) * 96))]
    rows = [
        (point, Sample(value, Quality.GOOD, "", at, 0.0))
        for at in moments
        for point, value in ((POWER, load(at)), (AIR, warmth(at)))
        if value is not None
    ]
    asyncio.run(historian.append_samples(rows))
    repeated = [(point, sample._replace(value=1e6)) for point, sample in rows[::7]]
    asyncio.run(historian.append_samples(repeated))
    return historian


@dataclass
class ForecastBench(Bench):
    now: datetime = EVE
    forecaster: Forecaster | None = forecasters.MEAN
    history: Kept = field(default_factory=lambda: recorded(2))

    def site(self) -> Site:
        """Nothing to control, so that days pass quickly."""
        return replace(
            super().site(),
            scan_every=SCAN_EVERY,
            systems=(),
            links=(),
            points={},
            mounts=(),
            forecasts=(ForecastTarget(POWER, AIR),),
        )

    def open_historian(self) -> MemoryHistorian:
        return self.history

    def told(self, step: str) -> list[Event]:
        return [event for event in self.events(EventKind.FORECAST, POWER) if event.body["step"] == step]

    def shown(self) -> dict[str, Any]:
        (forecast,) = json.loads(json.dumps(status.status(self.daemon), allow_nan=False))["forecasts"]
        return forecast


def test_a_night_and_a_day(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(0.5 * HOUR)
        (trained,) = bench.told("trained")
        (made,) = bench.told("made")
        assert made.body["start"] == MIDNIGHT.isoformat()
        assert len(json.loads(json.dumps(made.body["values"]))) == 96
        assert "193 loads, 193 temperatures" in str(trained.body["reason"]), "two days and a quarter, up to midnight"
        await bench.wait(24 * HOUR)
        starts = [event.body["start"] for event in bench.told("made")]
        assert starts == [(MIDNIGHT + timedelta(hours=hour)).isoformat() for hour in range(25)], "one an hour"
        scored = bench.told("scored")
        assert [event.body["start"] for event in scored] == [MIDNIGHT.isoformat()], "only the first one's time has come"
        shown = bench.shown()
        assert shown["score"]["start"] == MIDNIGHT.isoformat()
        assert (shown["trouble"], shown["failures"], shown["source"]) == ({}, 0, "model")

    assert ForecastBench(tmp_path).run(life)


def test_the_score_is_that_of_the_measured_load(tmp_path: Path) -> None:
    """A week that repeats itself to the digit: last week errs by nothing, the mean by the load's own spread."""

    async def life(bench: Bench) -> None:
        await bench.wait(0.5 * HOUR)

    async def next_night(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(0.5 * HOUR)
        mean = sum(weekly(EVE - timedelta(days=8) + number * QUARTER) for number in range(8 * 96 + 1)) / (8 * 96 + 1)
        hours = [weekly(MIDNIGHT + timedelta(hours=hour)) for hour in range(24)]
        (score,) = (event.body for event in bench.told("scored"))
        assert score["hours"] == 24
        assert score["mean_absolute_error"] == pytest.approx(sum(abs(mean - load) for load in hours) / 24, rel=1e-4)
        assert score["mean_load"] == pytest.approx(sum(hours) / 24, rel=1e-4)
        assert (score["baseline_mean_absolute_error"], score["skill"]) == (0.0, None)

    bench = ForecastBench(tmp_path, history=recorded(8))
    assert bench.run(life)
    bench.now = EVE + timedelta(days=1)
    assert bench.run(next_night)


def test_a_restart_keeps_what_was_learned_foretold_and_awaits_its_score(tmp_path: Path) -> None:
    async def night(bench: Bench) -> None:
        await bench.wait(0.5 * HOUR)

    async def next_day(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(1)
        assert bench.told("trained") == []
        forecast = bench.daemon.forecasts.present(POWER, bench.clock.now())
        assert forecast is not None
        assert forecast.start == MIDNIGHT, "the one of the run before; this hour needs no second one"

    async def next_night(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(0.5 * HOUR)
        assert bench.told("scored")[0].body["start"] == MIDNIGHT.isoformat()

    bench = ForecastBench(tmp_path)
    assert bench.run(night)
    assert bench.run(next_day)
    bench.now = EVE + timedelta(days=1)
    assert bench.run(next_night)


def test_after_days_of_silence_the_forecast_is_over(tmp_path: Path) -> None:
    async def night(bench: Bench) -> None:
        await bench.wait(0.5 * HOUR)

    async def later(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(1)
        assert bench.daemon.forecasts.present(POWER, bench.clock.now()) is None
        shown = bench.shown()
        assert (shown["values"], shown["source"]) == (None, None)
        assert shown["trained"] > MIDNIGHT.isoformat(), "the night that was missed is caught up"

    bench = ForecastBench(tmp_path)
    assert bench.run(night)
    bench.now += timedelta(days=1.5)
    bench.forecaster = replace_jobs(predict=forecasters.crash)
    assert bench.run(later)


def replace_jobs(**jobs: Any) -> Forecaster:
    return forecasters.MEAN._replace(within=forecasters.WITHIN_S, **jobs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "job, words",
    [(forecasters.crash, "process ended"), (forecasters.hang, "process ended"), (forecasters.hoard, "MemoryError")],
    ids=["crash", "hang", "hoard"],
)
def test_a_worker_that_fails_costs_the_forecast_alone(tmp_path: Path, job: Callable[[Any], Any], words: str) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(1.5 * HOUR)
        (failed,) = bench.told("failed")
        assert failed.body["of"] == "forecast"
        assert words in str(failed.body["cause"])
        shown = bench.shown()
        assert shown["failures"] == bench.daemon.workers.failures == 3, "at midnight and once an hour"
        assert shown["values"] is None
        assert bench.daemon.scan.times.overruns.missed == 0, "no scan waited"

    assert ForecastBench(tmp_path, forecaster=replace_jobs(predict=job)).run(life)


def test_a_training_that_fails_leaves_yesterdays_model_at_work(tmp_path: Path) -> None:
    async def night(bench: Bench) -> None:
        await bench.wait(0.5 * HOUR)

    async def next_night(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(0.5 * HOUR)
        (failed,) = bench.told("failed")
        assert failed.body["of"] == "training"
        shown = bench.shown()
        assert shown["trained"] == MIDNIGHT.isoformat()
        assert shown["start"] == (MIDNIGHT + timedelta(hours=24)).isoformat()

    bench = ForecastBench(tmp_path)
    assert bench.run(night)
    bench.now = EVE + timedelta(days=1)
    bench.forecaster = replace_jobs(train=forecasters.crash)
    assert bench.run(next_night)


def test_what_was_told_as_failing_is_told_again_only_after_it_worked(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(24.5 * HOUR)
        assert bench.shown()["failures"] == 2
        assert len(bench.told("failed")) == 1, "two nights without any history, told once"
        assert "no readings" in bench.shown()["trouble"]["training"]
        assert bench.daemon.workers.failures == 0, "a process that says so has not failed"

    assert ForecastBench(tmp_path, history=Kept()).run(life)


def test_a_history_that_cannot_be_read(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(60)
        await MemoryHistorian.close(bench.history)
        await bench.wait(HOUR)
        (failed,) = bench.told("failed")
        assert "closed" in str(failed.body["cause"])
        assert bench.daemon.scan.times.overruns.missed == 0

    assert ForecastBench(tmp_path).run(life)


# --- with the real model


def spoilt(at: datetime) -> float | None:
    """Hours of holes and of zeros, a negative reading now and then, a counter that catches up."""
    number = int((at - EVE) / QUARTER)
    if number % 97 < 8:
        return None
    if number % 211 < 3:
        return 0.0
    if number % 499 == 0:
        return -5.0
    return 20_000.0 if number % 997 == 0 else weekly(at)


@pytest.mark.parametrize(
    "days, load, source",
    [(30, weekly, Source.SAME_HOUR_LAST_WEEK), (30, spoilt, Source.SAME_HOUR_LAST_WEEK)],
    ids=["good", "spoilt"],
)
def test_a_month_of_history_is_the_same_hour_of_last_week(
    tmp_path: Path, days: int, load: Load, source: Source
) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(0.5 * HOUR)
        forecast = bench.daemon.forecasts.present(POWER, bench.clock.now())
        assert forecast is not None
        assert forecast.source is source
        truth = [weekly(MIDNIGHT + number * QUARTER) for number in range(96)]
        off = [abs(told - real) for told, real in zip(forecast.values, truth, strict=True)]
        assert sum(off) / 96 < 4.0
        assert "of the 70 days" in bench.shown()["reason"]["en"]
        assert bench.shown()["reason"]["zh"]

    assert ForecastBench(tmp_path, forecaster=FORECASTER, history=recorded(days, load)).run(life)


def test_a_meter_that_also_counts_generation_is_told_and_forecasts_nothing(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(0.5 * HOUR)
        assert "also counts what is fed in" in bench.shown()["trouble"]["training"]
        assert bench.daemon.forecasts.present(POWER, bench.clock.now()) is None

    def with_generation(at: datetime) -> float:
        return weekly(at) - 90.0

    assert ForecastBench(tmp_path, forecaster=FORECASTER, history=recorded(9, with_generation)).run(life)


@pytest.mark.slow
def test_the_same_history_gives_the_same_forecast_to_the_bit(tmp_path: Path) -> None:
    """Long enough for the model; two daemons, two processes."""
    seen: list[tuple[Any, ...]] = []

    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(0.5 * HOUR)
        forecast = bench.daemon.forecasts.present(POWER, bench.clock.now())
        assert forecast is not None
        trained = await bench.daemon.store.load_trained()
        seen.append((forecast, trained[POWER]))

    def cooled(at: datetime) -> float:
        return building.load(at.astimezone(building.SHANGHAI), building.temperature(at), 0.0)

    history = recorded(75, cooled, building.temperature)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        assert ForecastBench(tmp_path / name, forecaster=FORECASTER, history=history).run(life)
    assert seen[0] == seen[1]
    assert seen[0][0].source is Source.MODEL


# --- where the hour of the building is no hour of UTC


def test_the_day_begins_at_the_buildings_midnight(tmp_path: Path) -> None:
    class Delhi(ForecastBench):
        def site(self) -> Site:
            return replace(super().site(), zone=ZoneInfo("Asia/Kolkata"))

    midnight = datetime(2026, 7, 5, 18, 30, tzinfo=UTC)

    async def life(bench: Bench) -> None:
        assert isinstance(bench, ForecastBench)
        await bench.wait(4 * HOUR)
        assert bench.told("made")[0].body["start"] == midnight.isoformat()
        assert bench.told("made")[1].body["start"] == (midnight + timedelta(hours=1)).isoformat()

    assert Delhi(tmp_path).run(life)


# --- who leans on it


@dataclass(frozen=True, slots=True)
class Peak:
    kilowatts: float | None


class PlansByLoad(Follow):
    """Its plan is the highest load that it is told to expect."""

    inputs: Mapping[Role, Ladder] = MappingProxyType({Role("meter", 0, "power"): Ladder()})
    outputs = frozenset[Role]()
    plan_every = timedelta(hours=1)
    plan_limit = timedelta(hours=2)
    plan_type = Peak
    forecasts = frozenset({Role("meter", 0, "power")})

    def plan(self, given: PlanInput) -> Peak:
        return Peak(max((max(each.values) for each in given.forecasts.values()), default=None))

    def decide(self, seen: Observation, state: FollowState) -> Decision[FollowState]:
        del seen
        return Decision(state, {}, Text("", ""))


def test_a_plan_is_given_the_forecast_of_its_input_and_none_where_there_is_none(tmp_path: Path) -> None:
    class Planning(ForecastBench):
        def site(self) -> Site:
            mount = replace(
                Bench.site(self).mounts[0], strategy=PlansByLoad(), roles={Role("meter", 0, "power"): POWER}
            )
            return replace(super().site(), points={POWER: power}, mounts=(mount,))

    power = Point(POWER, PointKind.SENSOR, Unit.KILOWATT)
    plans: list[Any] = []

    async def life(bench: Bench) -> None:
        for _ in range(2):
            await bench.wait(0.9 * HOUR)
            plans.append(bench.daemon.strategies[0].plan)

    assert Planning(tmp_path).run(life)
    assert plans[0] == Peak(None), "before the first night"
    assert plans[1].kilowatts == pytest.approx(100.0, abs=10.0)
