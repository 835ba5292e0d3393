"""How good the load forecast is, on 13 measured buildings, beside same-hour-last-week and plain gradient boosting.

Run: python benchmarks/forecast.py [--json] [--series NAME]... [--plain NAME]...; reads $TIDEWATT_REFERENCE, else
../shared/data. With --plain only those series are compared with plain gradient boosting, else all.
Every midnight of the second half of each series 24 h are forecast from what was known then and the weather of the day;
refitted every 28 days. Skill is 1 - MAE / MAE of same-hour-last-week. Targets: median skill >= 30 %, none below 0;
a night's training <= 2 s, a forecast <= 20 ms, both on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from array import array
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast
from zoneinfo import ZoneInfo

import numpy as np

from controller.cli.load_csv import Columns, LoadFile, read_load
from controller.core.forecast import ForecastJob, History, Readings, TrainingJob
from controller.core.forecast_score import Score, score
from controller.forecasting.cleaning import Floats, clean
from controller.forecasting.clock_hours import ClockHours, arranged, microseconds, moment
from controller.forecasting.cores import one_core
from controller.forecasting.jobs import predict, train
from controller.forecasting.rolling import REFIT_EVERY_DAYS, rolled, score_in_force

REFERENCE = Path(os.environ.get("TIDEWATT_REFERENCE") or Path(__file__).resolve().parents[2] / "shared" / "data")
# The stamps of the estate in Cambridge are UTC, and its people live on the clock of London.
CAMBRIDGE = "elec_cam_"
LEAST_MEDIAN_SKILL = 0.30
MOST_TRAIN_S = 2.0
MOST_PREDICT_S = 0.020
PREDICTIONS = 7

Result = TypeVar("Result")


class Row(NamedTuple):
    series: str
    days: int
    ours: Score
    plain: Score | None
    train_s: float
    predict_s: float


def files() -> list[Path]:
    found = sorted((REFERENCE / "electricity").glob("elec_*.csv.gz"))
    if not found:
        raise SystemExit(f"no series in {REFERENCE / 'electricity'}; set TIDEWATT_REFERENCE")
    return found


def read(path: Path) -> LoadFile:
    is_utc = path.name.startswith(CAMBRIDGE)
    return read_load(path, Columns(), ZoneInfo("Europe/London" if is_utc else "UTC"), is_utc=is_utc)


def measure(path: Path, *, beside_plain: bool) -> Row:
    history = read(path).history
    cleaned = clean(history.load)
    end = moment(int(cleaned.starts[-1])) + timedelta(hours=1)
    hours = arranged(history, cleaned, end, days_back=100_000)
    last = hours.row(end) // 24
    first = last // 2
    with one_core():
        ours = score_in_force(list(rolled(hours, first, last)))
        plain = plain_gradient_boosting(hours, first, last) if beside_plain else None
    train_s, trained = timed(lambda: train(TrainingJob(history, end)))
    recent = latest(history, microseconds(end - timedelta(days=36)))
    job = ForecastJob(recent, trained, end)
    predict_s = statistics.median(timed(lambda: predict(job))[0] for _ in range(PREDICTIONS))
    return Row(name_of(path), last - first, ours, plain, train_s, predict_s)


def name_of(path: Path) -> str:
    return path.name.removesuffix(".csv.gz").removeprefix("elec_")


def plain_gradient_boosting(hours: ClockHours, first: int, last: int) -> Score:
    """What anyone would try first: scikit-learn's own settings on hour, weekday and temperature."""
    from sklearn import ensemble

    columns = np.stack([hours.hour, hours.weekday, hours.temperature], axis=-1)
    forecasts: list[Floats] = []
    for day in range(first, last, REFIT_EVERY_DAYS):
        known = np.flatnonzero(~np.isnan(hours.load[: day * 24]))
        trees = cast("Any", ensemble).HistGradientBoostingRegressor(random_state=0)
        trees.fit(columns[known], hours.load[known])
        forecasts.append(trees.predict(columns[day * 24 : min(day + REFIT_EVERY_DAYS, last) * 24]))
    from controller.forecasting.baseline import same_hour_last_week

    baseline = same_hour_last_week(hours, np.arange(first, last) * 24).ravel()
    load = hours.load[first * 24 : last * 24]
    return score(load.tolist(), np.concatenate(forecasts).tolist(), baseline.tolist())


def latest(history: History, start: int) -> History:
    """What the daemon would send: five weeks."""

    def since(readings: Readings) -> Readings:
        pairs = [pair for pair in zip(readings.starts, readings.values, strict=True) if pair[0] >= start]
        return Readings(array("q", [at for at, _ in pairs]), array("d", [value for _, value in pairs]))

    return History(since(history.load), since(history.temperature), history.zone, history.working_days)


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of a core, so that other work on the machine does not count; everything here runs on one thread."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def show(rows: list[Row]) -> None:
    print(f"{'':22}{'---- MAE, in the unit of the load ----':>38}{'------ skill ------':>22}")
    print(
        f"{'series':22}{'last week':>12}{'plain trees':>13}{'ours':>13}{'plain':>12}{'ours':>10}"
        f"{'by RMSE':>9}{'NMBE':>8}{'train s':>9}{'predict ms':>12}"
    )
    for row in rows:
        plain_error = "" if row.plain is None else f"{row.plain.mean_absolute_error:.3f}"
        plain_skill = "" if row.plain is None else f"{row.plain.skill:.1%}"
        print(
            f"{row.series:22}{row.ours.baseline_mean_absolute_error:>12.3f}{plain_error:>13}"
            f"{row.ours.mean_absolute_error:>13.3f}{plain_skill:>12}{row.ours.skill:>10.1%}"
            f"{row.ours.root_mean_square_skill:>9.1%}{row.ours.normalised_bias:>+8.1%}{row.train_s:>9.2f}"
            f"{row.predict_s * 1e3:>12.1f}"
        )
    skills = [row.ours.skill for row in rows]
    worse = sum(skill < 0 for skill in skills)
    print(
        f"\nskill: median {statistics.median(skills):.1%} (target {LEAST_MEDIAN_SKILL:.0%}), "
        f"{min(skills):.1%} to {max(skills):.1%}; worse than last week on {worse} of {len(rows)}"
    )
    if plain := [row.plain.skill for row in rows if row.plain is not None]:
        negative = sum(skill < 0 for skill in plain)
        print(f"plain gradient boosting: median {statistics.median(plain):.1%}, worse on {negative} of {len(plain)}")
    train_s, predict_ms = [row.train_s for row in rows], [row.predict_s * 1e3 for row in rows]
    print(f"train: median {statistics.median(train_s):.2f} s, most {max(train_s):.2f} s (target {MOST_TRAIN_S:g} s)")
    print(
        f"predict: median {statistics.median(predict_ms):.1f} ms, most {max(predict_ms):.1f} ms "
        f"(target {MOST_PREDICT_S * 1e3:g} ms)"
    )


def as_json(row: Row) -> dict[str, Any]:
    return {
        "series": row.series,
        "days": row.days,
        "skill": row.ours.skill,
        "root_mean_square_skill": row.ours.root_mean_square_skill,
        "normalised_bias": row.ours.normalised_bias,
        "mean_absolute_error": row.ours.mean_absolute_error,
        "baseline_mean_absolute_error": row.ours.baseline_mean_absolute_error,
        "plain_mean_absolute_error": None if row.plain is None else row.plain.mean_absolute_error,
        "plain_skill": None if row.plain is None else row.plain.skill,
        "train_s": row.train_s,
        "predict_s": row.predict_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--series", action="append", metavar="NAME", help="only these, for instance cam_b2")
    parser.add_argument("--plain", action="append", metavar="NAME", help="plain gradient boosting beside these only")
    given = parser.parse_args()
    paths = [path for path in files() if not given.series or name_of(path) in given.series]
    rows = [measure(path, beside_plain=not given.plain or name_of(path) in given.plain) for path in paths]
    if given.json:
        print(json.dumps([as_json(row) for row in rows], indent=2))
    else:
        show(rows)


if __name__ == "__main__":
    main()
