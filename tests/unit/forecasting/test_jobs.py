"""Training and forecasting as the daemon asks for them: what is refused, what falls back, what travels."""

from __future__ import annotations

import math
import pickle
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from controller.core.forecast import (
    Forecast,
    ForecastJob,
    History,
    Readings,
    Source,
    Trained,
    TrainingJob,
    UnusableHistory,
)
from controller.forecasting.jobs import predict, train
from tests.unit.forecasting.support import (
    BERLIN,
    SHANGHAI,
    START,
    Change,
    building,
    end_of,
    load,
    temperature,
)

QUARTER = timedelta(minutes=15)
# Enough for the model, and no more than that takes long.
DAYS = 84


@pytest.fixture(scope="module")
def history() -> History:
    return building(DAYS)


@pytest.fixture(scope="module")
def trained(history: History) -> Trained:
    return train(TrainingJob(history, end_of(history)))


def hourly(forecast: Forecast) -> list[float]:
    return [sum(forecast.values[at : at + 4]) / 4 for at in range(0, 96, 4)]


def error_against_truth(forecast: Forecast) -> float:
    """Mean absolute error against the load by construction, without its noise."""
    moments = [forecast.start + hour * timedelta(hours=1) for hour in range(24)]
    truth = [load(at, temperature(at), 0.0) for at in moments]
    return sum(abs(a - b) for a, b in zip(hourly(forecast), truth, strict=True)) / 24


# --- the model --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_model_earns_its_place(trained: Trained) -> None:
    assert trained.source is Source.MODEL
    assert trained.score is not None
    assert trained.score.hours == 14 * 24
    assert trained.score.skill > 0.3
    assert "smaller than with the same hour of last week" in trained.reason.en


@pytest.mark.parametrize("hour", [0, 6, 13, 23])
@pytest.mark.slow
def test_the_forecast_is_near_the_truth_from_any_hour(history: History, trained: Trained, hour: int) -> None:
    at = end_of(history) - timedelta(hours=24 - hour) if hour else end_of(history)
    forecast = predict(ForecastJob(history, trained, at))
    assert (forecast.source, forecast.start, len(forecast.values)) == (Source.MODEL, at, 96)
    assert error_against_truth(forecast) < 4.0


def test_the_same_history_gives_the_same_bytes(history: History, trained: Trained) -> None:
    again = train(TrainingJob(history, end_of(history)))
    assert again == trained
    job = ForecastJob(history, trained, end_of(history))
    assert predict(job) == predict(job)


@pytest.mark.slow
def test_what_is_not_yet_known_changes_nothing(history: History, trained: Trained) -> None:
    at = START + timedelta(days=DAYS - 10)
    past = building(DAYS - 10)
    assert train(TrainingJob(history, at)) == train(TrainingJob(past, at))
    assert predict(ForecastJob(history, trained, at)) == predict(ForecastJob(past, trained, at))


def test_jobs_and_answers_travel(history: History, trained: Trained) -> None:
    job = ForecastJob(history, trained, end_of(history))
    assert pickle.loads(pickle.dumps(job)) == job
    forecast = predict(job)
    assert pickle.loads(pickle.dumps(forecast)) == forecast


def test_who_receives_an_answer_loads_nothing_heavy(trained: Trained) -> None:
    code = (
        "import pickle, sys; trained = pickle.loads(sys.stdin.buffer.read()); "
        "print(trained.source, {'numpy', 'scipy', 'sklearn'} & set(sys.modules) or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(trained), capture_output=True, check=True)
    assert done.stdout.split() == [b"model", b"light"]


def test_a_model_of_another_version_is_not_read(history: History, trained: Trained) -> None:
    foreign = replace(trained, made_by="model 0, scikit-learn 0.1", model=b"not a pickle")
    forecast = predict(ForecastJob(history, foreign, end_of(history)))
    assert forecast.source is Source.SAME_HOUR_LAST_WEEK


def test_the_last_five_weeks_are_enough_to_forecast(history: History, trained: Trained) -> None:
    at = end_of(history)
    recent = building(DAYS)
    keep = 36 * 24
    recent = replace(
        recent,
        load=replace(recent.load, starts=recent.load.starts[-keep:], values=recent.load.values[-keep:]),
        temperature=replace(
            recent.temperature,
            starts=recent.temperature.starts[-keep - 48 :],
            values=recent.temperature.values[-keep - 48 :],
        ),
    )
    whole = predict(ForecastJob(history, trained, at)).values
    assert predict(ForecastJob(recent, trained, at)).values == pytest.approx(whole)


@pytest.mark.slow
def test_without_a_weather_forecast_the_model_is_tried_without_one() -> None:
    """No day is as warm as the one before: who expects that is wrong, in the trial as later."""
    chance = random.Random(17)
    warmer = [chance.uniform(-8.0, 8.0) for _ in range(DAYS + 2)]
    foretold = building(DAYS, change=lambda number, local, value: value + 2.0 * warmer[number // 24])
    for number in range(len(foretold.temperature.values)):
        foretold.temperature.values[number] += warmer[number // 24]
    at, known = end_of(foretold), len(foretold.load.starts)
    past = Readings(foretold.temperature.starts[:known], foretold.temperature.values[:known])
    given, unknown = train(TrainingJob(foretold, at)), train(TrainingJob(replace(foretold, temperature=past), at))
    assert given.score is not None
    assert unknown.score is not None
    assert unknown.score.mean_absolute_error > 1.2 * given.score.mean_absolute_error
    assert unknown.score.baseline_mean_absolute_error == given.score.baseline_mean_absolute_error


def test_a_holiday_is_no_working_day() -> None:
    holidays = {date(2026, 1, 5) + timedelta(days=day): False for day in (16, 30, 44, 60, 81, 95, 109)}
    off: Change = lambda number, local, value: 22.0 if local.date() in holidays else value  # noqa: E731
    past = building(112, change=off, working_days=holidays)
    at = end_of(past)
    known = train(TrainingJob(past, at))
    monday = predict(ForecastJob(past, known, at))
    holiday = predict(ForecastJob(replace(past, working_days={**holidays, at.date(): False}), known, at))
    assert max(hourly(monday)) > 70.0
    assert max(hourly(holiday)) < 45.0


# --- falling back -----------------------------------------------------------------------------------------------------


def test_until_there_is_enough_the_same_hour_of_last_week_counts() -> None:
    history = building(30)
    at = end_of(history)
    trained = train(TrainingJob(history, at))
    assert (trained.source, trained.score) == (Source.SAME_HOUR_LAST_WEEK, None)
    assert trained.reason.en.startswith("30 of the 70 days")
    assert "70" in trained.reason.zh
    forecast = predict(ForecastJob(history, trained, at))
    assert forecast.source is Source.SAME_HOUR_LAST_WEEK
    assert hourly(forecast) == pytest.approx(list(history.load.values[-168:-144]))


def test_a_model_that_was_worse_on_the_last_two_weeks_is_not_used() -> None:
    """A load that repeats itself to the digit each week, and one that is not to be foreseen, are lost to any model."""
    pattern = [random.Random(hour).uniform(40.0, 90.0) for hour in range(168)]
    history = building(100, change=lambda number, local, value: pattern[number % 168] + number % 168 % 7 * 1e-9)
    chance = random.Random(3)
    for number in range(100 * 24 - 14 * 24):
        history.load.values[number] = chance.uniform(20.0, 200.0)
    for number in range(100 * 24 - 21 * 24, 100 * 24):
        history.load.values[number] = pattern[number % 168] + chance.uniform(0.0, 0.1)
    trained = train(TrainingJob(history, end_of(history)))
    assert trained.source is Source.SAME_HOUR_LAST_WEEK
    assert trained.score is not None
    assert trained.score.skill < 0
    assert "worse over the last two weeks" in trained.reason.en


# --- bad input --------------------------------------------------------------------------------------------------------

_chance = random.Random(11)
_HOLES = {number for number in range(DAYS * 24) if _chance.random() < 0.2}
_LONG_HOLE = range(50 * 24, 57 * 24)
_NAN = math.nan
_BAD: list[tuple[str, Change]] = [
    ("one reading in five missing", lambda number, local, value: _NAN if number in _HOLES else value),
    ("a week missing", lambda number, local, value: _NAN if number in _LONG_HOLE else value),
    ("a week of zeros", lambda number, local, value: 0.0 if number in _LONG_HOLE else value),
    ("a few negative readings", lambda number, local, value: -value if number % 300 == 5 else value),
    ("a counter that catches up", lambda number, local, value: 1e6 if number in (1000, 1800) else value),
    ("the last day unknown", lambda number, local, value: _NAN if number > (DAYS - 1) * 24 else value),
]


@pytest.mark.parametrize("change", [change for _, change in _BAD], ids=[name for name, _ in _BAD])
@pytest.mark.slow
def test_a_damaged_history_still_gives_a_good_forecast(change: Change) -> None:
    history = building(DAYS, change=change)
    at = START + timedelta(days=DAYS)
    trained = train(TrainingJob(history, at))
    assert trained.source is Source.MODEL
    assert error_against_truth(predict(ForecastJob(history, trained, at))) < 6.0


def test_order_and_repetition_do_not_matter(history: History, trained: Trained) -> None:
    numbers = list(range(len(history.load.starts)))
    random.Random(5).shuffle(numbers)
    numbers += numbers[:500]
    starts, values = history.load.starts, history.load.values
    shuffled = replace(
        history,
        load=replace(
            history.load,
            starts=type(starts)("q", [starts[number] for number in numbers]),
            values=type(values)("d", [values[number] for number in numbers]),
        ),
    )
    assert train(TrainingJob(shuffled, end_of(history))) == trained


def test_without_temperature() -> None:
    history = building(DAYS)
    for number in range(len(history.temperature.values)):
        history.temperature.values[number] = math.nan
    trained = train(TrainingJob(history, end_of(history)))
    assert trained.source is Source.MODEL
    assert not any(map(math.isnan, predict(ForecastJob(history, trained, end_of(history))).values))


def test_a_constant_load() -> None:
    history = building(DAYS, change=lambda number, local, value: 42.0)
    trained = train(TrainingJob(history, end_of(history)))
    assert trained.source is Source.SAME_HOUR_LAST_WEEK
    assert "stuck" in trained.reason.en
    assert set(predict(ForecastJob(history, trained, end_of(history))).values) == {42.0}


@pytest.mark.parametrize("days, words", [(1, "only 1 day with readings"), (7, "only 7 days with readings")])
def test_too_short(days: int, words: str) -> None:
    history = building(days)
    with pytest.raises(UnusableHistory, match=words):
        train(TrainingJob(history, end_of(history)))


def test_a_load_that_ended_long_ago(history: History, trained: Trained) -> None:
    with pytest.raises(UnusableHistory, match="five weeks"):
        predict(ForecastJob(history, trained, end_of(history) + timedelta(days=60)))


def test_an_hour_of_the_day_that_is_never_read() -> None:
    history = building(DAYS, change=lambda number, local, value: math.nan if local.hour == 3 else value)
    trained = train(TrainingJob(history, end_of(history)))
    assert trained.source is Source.SAME_HOUR_LAST_WEEK
    assert "too few readings" in trained.reason.en


# --- quarters and clocks ----------------------------------------------------------------------------------------------


def test_quarters_of_hourly_data_keep_the_means_and_climb_between_them(history: History, trained: Trained) -> None:
    forecast = predict(ForecastJob(history, trained, end_of(history)))
    rise = forecast.values[7 * 4 : 8 * 4]
    assert list(rise) == sorted(rise)
    assert rise[-1] > rise[0]


def ramp(number: int, local: datetime, value: float) -> float:
    """Within every hour the load climbs from three quarters of its mean to five quarters of it."""
    return value * (0.75 + local.minute / 90.0)


def test_quarters_of_finer_data_have_the_shape_that_was_measured() -> None:
    history = building(DAYS, step=QUARTER, change=ramp)
    at = end_of(history, QUARTER)
    forecast = predict(ForecastJob(history, train(TrainingJob(history, at)), at))
    assert forecast.source is Source.MODEL
    for hour in range(24):
        quarters = forecast.values[hour * 4 : hour * 4 + 4]
        assert [4 * each / sum(quarters) for each in quarters] == pytest.approx([0.75, 0.9167, 1.0833, 1.25], abs=0.05)


def test_an_origin_within_an_hour_starts_at_its_quarter(history: History, trained: Trained) -> None:
    at = end_of(history) - timedelta(hours=20)
    whole = predict(ForecastJob(history, trained, at))
    later = predict(ForecastJob(history, trained, at + timedelta(minutes=38)))
    assert later.start == at + timedelta(minutes=30)
    assert later.values[:94] == pytest.approx(whole.values[2:])


@pytest.mark.parametrize(
    "midnight",
    [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)],
    ids=["23 hours", "25 hours"],
)
@pytest.mark.slow
def test_working_hours_keep_to_the_clock_on_days_when_it_changes(midnight: datetime) -> None:
    """Sunday's change is seen on the origin's own day and on Monday morning, an hour earlier or later in UTC."""
    at = midnight.astimezone(UTC)
    history = building(DAYS + 1, zone=BERLIN, start=at - timedelta(days=DAYS))
    trained = train(TrainingJob(history, at))
    forecast = predict(ForecastJob(history, trained, at + timedelta(hours=20)))
    assert len(forecast.values) == 96
    jumps = [b - a for a, b in zip(hourly(forecast), hourly(forecast)[1:], strict=False)]
    start_of_work = forecast.start + (jumps.index(max(jumps)) + 1) * timedelta(hours=1)
    assert start_of_work.astimezone(BERLIN).hour == 8


def test_local_days_of_another_zone() -> None:
    history = building(DAYS, zone=SHANGHAI)
    at = end_of(history) - timedelta(days=3)
    forecast = predict(ForecastJob(history, train(TrainingJob(history, at)), at))
    peak = max(range(24), key=hourly(forecast).__getitem__)
    assert 8 <= (forecast.start + timedelta(hours=peak)).astimezone(SHANGHAI).hour < 18


def test_a_load_at_night_is_never_negative() -> None:
    change: Change = lambda number, local, value: (  # noqa: E731
        max(value - 25.0, 0.0) if 8 <= local.hour < 18 else 0.0
    )
    history = building(DAYS, change=change)
    trained = train(TrainingJob(history, end_of(history)))
    forecast = predict(ForecastJob(history, trained, end_of(history)))
    assert min(forecast.values) >= 0.0
    assert max(forecast.values) > 20.0
