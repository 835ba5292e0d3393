"""The days before a demo: enough of them, and true enough, to forecast the first day and to learn the tide from."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from controller.cli.past import PAST, STEP_S, record_past
from controller.cli.simulate import engine_of
from controller.cli.site_folder import load_site
from controller.core.forecast import LEARNED_FROM, Forecast, ForecastJob, History, TrainingJob
from controller.core.ports import HistoryInterval
from controller.core.strategy import Observation, PlanInput
from controller.forecasting.jobs import FORECASTER
from controller.historian.memory import MemoryHistorian
from controller.runtime.quarter_hours import QuarterHours
from strategies.tidal_lighting import LearnedTidalLighting
from tests.virtual_demo import DEMO

SITE = load_site(DEMO)
MONDAY = datetime(2026, 7, 6, tzinfo=SITE.zone)


async def forecast_at(start: datetime) -> Forecast:
    historian = MemoryHistorian()
    await record_past(SITE, engine_of(SITE, start - PAST, None, None, 0, step_s=STEP_S), start, historian)
    quarter_hours = QuarterHours(historian)
    target = SITE.forecasts[0]
    assert target.temperature is not None
    load, temperature = [
        await quarter_hours.read(point, start - LEARNED_FROM, start) for point in (target.point, target.temperature)
    ]
    history = History(load, temperature, SITE.zone, {})
    return FORECASTER.predict(ForecastJob(history, FORECASTER.train(TrainingJob(history, start)), start))


@pytest.mark.slow
async def test_a_new_demo_can_forecast_its_first_day() -> None:
    """The building cools by day and not by night; the day's cooling is what the plant then really delivers."""
    start = MONDAY + timedelta(hours=21)
    forecast = await forecast_at(start)
    day = engine_of(SITE, start, None, None, 0)
    day.advance(start + timedelta(days=1), 0.0)
    delivered = day.read("plant.chilled_water_loop_1.cooling_energy")
    assert sum(forecast.values) / 4 == pytest.approx(delivered, rel=0.5)
    by_night = [value for quarter, value in enumerate(forecast.values) if (start.hour + quarter / 4) % 24 < 5]
    assert max(by_night) < 0.1 * max(forecast.values)


@pytest.mark.slow
async def test_a_new_demo_has_learned_the_tide_of_its_garage() -> None:
    """Cars come in the morning of working days and leave in the evening; nights and Sundays are quiet."""
    mount = next(mount for mount in SITE.mounts if mount.id == "garage")
    strategy = mount.strategy
    assert isinstance(strategy, LearnedTidalLighting)
    historian = MemoryHistorian()
    await record_past(SITE, engine_of(SITE, MONDAY - PAST, None, None, 0, step_s=STEP_S), MONDAY, historian)
    history = {
        role: await historian.read_aggregates(mount.roles[role], MONDAY - PAST, MONDAY, HistoryInterval.HOUR)
        for role in strategy.history
    }
    seen = Observation(MONDAY, MONDAY, 0.0, {})
    tide = strategy.plan(PlanInput(MONDAY, SITE.zone, SITE.position, seen, strategy.initial(), None, history=history))
    tuesday, sunday = (tide.peaks((MONDAY + timedelta(days=days)).date()) for days in (1, 6))
    assert tuesday is not None
    assert sunday is not None
    assert tuesday[8]
    assert tuesday[18]
    assert not any(tuesday[:6])
    assert not any(sunday)
