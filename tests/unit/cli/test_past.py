"""The days before a demo: enough of them, and true enough, to forecast the first day from."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from controller.cli.past import PAST, STEP_S, record_past
from controller.cli.simulate import engine_of
from controller.cli.site_folder import load_site
from controller.core.forecast import LEARNED_FROM, Forecast, ForecastJob, History, TrainingJob
from controller.forecasting.jobs import FORECASTER
from controller.historian.memory import MemoryHistorian
from controller.runtime.quarter_hours import QuarterHours
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
