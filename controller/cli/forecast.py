"""tidewatt forecast SITE|CSV: train on recorded loads, say how good the forecast is, and show the next 24 hours."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from controller.cli.arguments import Exit, add_command, add_json, language
from controller.cli.load_csv import Columns, LoadFile, read_load
from controller.cli.output import complain, print_json, say
from controller.cli.site_folder import load_site
from controller.cli.site_load import read_site_load
from controller.core.errors import ConfigError, Problem
from controller.core.forecast import STEP, Forecast, ForecastJob, Source, Trained, TrainingJob, UnusableHistory
from controller.core.forecast_score import Score
from controller.forecasting.jobs import predict, train

if TYPE_CHECKING:
    from controller.forecasting.cleaning import Cleaned
    from controller.forecasting.rolling import Days

_BAR = 40
_COARSEST = timedelta(hours=1)
_SOURCES = {Source.MODEL: "model", Source.SAME_HOUR_LAST_WEEK: "same hour last week"}


class _Scored(NamedTuple):
    score: Score
    first: datetime
    days: int


class _Report(NamedTuple):
    file: LoadFile
    cleaned: Cleaned
    step: timedelta
    scored: _Scored | None
    trained: Trained
    forecast: Forecast


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "forecast",
        "train a load forecast on a site's own history or on a CSV file, score it and print the next 24 hours",
        "tidewatt forecast config/sites/demo\n"
        "  tidewatt forecast load.csv.gz --column load_kwh --temperature temp_c --zone Asia/Shanghai",
    )
    parser.add_argument(
        "what",
        type=Path,
        metavar="SITE|CSV",
        help="a site's folder, or times and loads, an hour apart or less; may be gzipped",
    )
    parser.add_argument("--weeks", type=_weeks, metavar="N", help="score the last N weeks (default: the second half)")
    add_json(parser)
    of_csv = parser.add_argument_group("of a CSV file")
    of_csv.add_argument(
        "--column", metavar="COLUMN", help="the load (default: the one named load..., power..., energy...)"
    )
    of_csv.add_argument("--time", metavar="COLUMN", help="beginning of each interval (default: the first column)")
    of_csv.add_argument(
        "--temperature",
        metavar="COLUMN",
        help="outdoors, °C (default: temp...); rows beyond the last load are taken for its forecast",
    )
    of_csv.add_argument("--holiday", metavar="COLUMN", help="1 on public holidays (default: holiday...)")
    of_csv.add_argument("--zone", type=_zone, metavar="ZONE", help="the building's, as Asia/Shanghai (default: none)")
    of_csv.add_argument(
        "--utc", action="store_true", help="times without an offset are in UTC, not on the zone's clock"
    )
    parser.set_defaults(execute=execute, refuse=parser.error)


def execute(arguments: argparse.Namespace) -> int:
    return _of_site(arguments) if arguments.what.is_dir() else _of_file(arguments)


def _of_site(arguments: argparse.Namespace) -> int:
    """Each of the site's forecasts; 3 where there is none of which one can be made."""
    for option in ("column", "time", "temperature", "holiday", "zone", "utc"):
        if getattr(arguments, option):
            arguments.refuse(f"--{option} is for CSV files; what a site forecasts stands in its site.yaml")
    site = load_site(arguments.what)
    if not site.forecasts:
        right = "name its loads under 'forecasts:'; docs/forecasting.md shows how"
        raise ConfigError([Problem(site.folder / "site.yaml", 1, "the site forecasts nothing", right)])
    answers: list[dict[str, Any]] = []
    made = 0
    for number, target in enumerate(site.forecasts):
        try:
            report = _report(read_site_load(site, target), arguments.weeks)
        except UnusableHistory as error:
            complain(f"{target.point}: {error}")
            answers.append({"column": target.point, "wrong": error.wrong, "right": error.right})
            continue
        made += 1
        answers.append(_as_json(report))
        if not arguments.json:
            if number:
                say()
            _print(report)
    if arguments.json:
        print_json(answers)
    return Exit.OK if made else Exit.ENVIRONMENT


def _of_file(arguments: argparse.Namespace) -> int:
    columns = Columns(arguments.time, arguments.column, arguments.temperature, arguments.holiday)
    file = read_load(arguments.what, columns, arguments.zone or ZoneInfo("UTC"), is_utc=arguments.utc)
    try:
        report = _report(file, arguments.weeks)
    except UnusableHistory as error:
        raise ConfigError([Problem(file.path, 1, f"{file.column}: {error.wrong}", error.right)]) from None
    if arguments.json:
        print_json(_as_json(report))
    else:
        _print(report)
    return Exit.OK


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time zone; write Asia/Shanghai or Europe/London") from None


def _weeks(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of weeks; write 4")
    return int(text)


def _report(file: LoadFile, weeks: int | None) -> _Report:
    from controller.forecasting.cleaning import clean
    from controller.forecasting.clock_hours import moment

    cleaned = clean(file.history.load)
    step = _step(cleaned)
    end = moment(int(cleaned.starts[-1])) + step
    trained = train(TrainingJob(file.history, end))
    scored = _scored(file, cleaned, end, weeks)
    return _Report(file, cleaned, step, scored, trained, predict(ForecastJob(file.history, trained, end)))


def _step(cleaned: Cleaned) -> timedelta:
    import numpy as np

    if cleaned.starts.size < 2:
        raise UnusableHistory("only one reading", "a forecast needs at least eight days")
    step = timedelta(microseconds=int(np.median(np.diff(cleaned.starts))))
    if step > _COARSEST:
        raise UnusableHistory(f"readings are {step} apart", "give readings of every hour or less")
    return step


def _scored(file: LoadFile, cleaned: Cleaned, end: datetime, weeks: int | None) -> _Scored | None:
    """As if forecast at every midnight; None where there is nothing to score after four weeks of level."""
    from controller.forecasting.clock_hours import arranged
    from controller.forecasting.cores import one_core
    from controller.forecasting.rolling import LEVEL_DAYS, REFIT_EVERY_DAYS, rolled, score_in_force

    hours = arranged(file.history, cleaned, end, days_back=100_000)
    last = hours.row(end) // 24
    first = max(last // 2 if weeks is None else last - 7 * weeks, LEVEL_DAYS)
    if first >= last:
        return None
    blocks: list[Days] = []
    with one_core():
        for block in rolled(hours, first, last):
            blocks.append(block)
            _tell_progress(min(len(blocks) * REFIT_EVERY_DAYS, last - first), last - first)
    beginning = datetime(hours.first.year, hours.first.month, hours.first.day, tzinfo=hours.zone) + timedelta(
        days=first
    )
    return _Scored(score_in_force(blocks), beginning, last - first)


def _tell_progress(done: int, days: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rscoring: {done} of {days} days" + ("\n" if done == days else ""))
        sys.stderr.flush()


# --- for people -------------------------------------------------------------------------------------------------------


def _print(report: _Report) -> None:
    zone = report.file.history.zone
    first, last = (datetime.fromtimestamp(int(at) / 1e6, UTC).astimezone(zone) for at in report.cleaned.starts[[0, -1]])
    minutes = report.step // timedelta(minutes=1)
    say(
        f"{report.file.path}: {report.file.column}, {report.cleaned.starts.size:,} readings {minutes} min apart, "
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    )
    say(f"temperature: {report.file.temperature_column or 'none; a column of it makes the forecast better'}")
    for line in _remarks(report):
        say(f"  {line}")
    say()
    _print_score(report.scored)
    say()
    _print_forecast(report)


def _remarks(report: _Report) -> list[str]:
    """What was left out or put right, in the order in which it was looked for."""
    file, cleaned = report.file, report.cleaned
    remarks = [
        (file.skipped_by_the_clock, "at times that the clock skips when summer time begins, left out; "
                                    "if the meter does not follow summer time, leave out --zone"),
        (file.out_of_order, "out of order, put in order"),
        (file.unknown, "without a value"),
        (cleaned.duplicates, "repeat a time, left out; the first counts"),
        (cleaned.negative, "negative, left out"),
        (cleaned.zeros, "zero, left out: this load is never near zero otherwise"),
        (cleaned.spikes, "far beyond all others, left out: a counter catching up?"),
    ]  # fmt: skip
    lines = [f"{count:,} {words}" for count, words in remarks if count]
    if (holes := _holes(report)) > 0:
        lines.append(f"{holes:,} missing in all, {holes / (holes + cleaned.starts.size):.1%}")
    return lines


def _holes(report: _Report) -> int:
    starts = report.cleaned.starts
    expected = int(starts[-1] - starts[0]) // (report.step // timedelta(microseconds=1)) + 1
    return expected - int(starts.size)


def _print_score(scored: _Scored | None) -> None:
    if scored is None or not scored.score.hours:
        complain("too short to score: five weeks are needed")
        return
    result = scored.score
    say(
        f"scored on {scored.days} days from {scored.first:%Y-%m-%d}: forecast at midnight for 24 h, "
        "refitted every 28 days, weather of the day given"
    )
    say(f"  {'':22}{'MAE':>10}{'RMSE':>10}{'NMBE':>9}")
    say(
        f"  {'forecast':22}{result.mean_absolute_error:>10.4g}{result.root_mean_square_error:>10.4g}"
        f"{result.normalised_bias:>+9.1%}"
    )
    say(
        f"  {'same hour last week':22}{result.baseline_mean_absolute_error:>10.4g}"
        f"{result.baseline_root_mean_square_error:>10.4g}"
    )
    say(f"  {'skill':22}{result.skill:>10.1%}{result.root_mean_square_skill:>10.1%}")


def _print_forecast(report: _Report) -> None:
    forecast = report.forecast
    local = forecast.start.astimezone(report.file.history.zone)
    say(f"next 24 h from {local:%Y-%m-%d %H:%M}, by the {_SOURCES[forecast.source]}")
    say(f"  {report.trained.reason.in_language(language())}")
    quarters = int(timedelta(hours=1) / STEP)
    means = [sum(forecast.values[at : at + quarters]) / quarters for at in range(0, len(forecast.values), quarters)]
    highest = max(means) or 1.0
    for hour, mean in enumerate(means):
        at = (forecast.start + timedelta(hours=hour)).astimezone(report.file.history.zone)
        say(f"  {at:%H:%M} {mean:>10.4g}  {'█' * round(_BAR * mean / highest)}")


# --- for scripts ------------------------------------------------------------------------------------------------------


def _as_json(report: _Report) -> dict[str, Any]:
    file, cleaned, forecast, zone = report.file, report.cleaned, report.forecast, report.file.history.zone
    return {
        "file": str(file.path),
        "column": file.column,
        "temperature": file.temperature_column,
        "readings": {
            "used": int(cleaned.starts.size),
            "step_s": report.step.total_seconds(),
            "missing": _holes(report),
            "unknown": file.unknown,
            "duplicates": cleaned.duplicates,
            "negative": cleaned.negative,
            "zeros": cleaned.zeros,
            "spikes": cleaned.spikes,
            "out_of_order": file.out_of_order,
            "skipped_by_the_clock": file.skipped_by_the_clock,
        },
        "score": None if report.scored is None else _score_as_json(report.scored),
        "forecast": {
            "start": forecast.start.astimezone(zone).isoformat(),
            "step_s": STEP.total_seconds(),
            "source": forecast.source,
            "reason": report.trained.reason.en,
            "values": list(forecast.values),
        },
    }


def _score_as_json(scored: _Scored) -> dict[str, Any] | None:
    result = scored.score
    if not result.hours:
        return None
    return {
        "from": scored.first.isoformat(),
        "days": scored.days,
        **result._asdict(),
        "skill": _or_none(result.skill),
        "root_mean_square_skill": _or_none(result.root_mean_square_skill),
        "normalised_bias": _or_none(result.normalised_bias),
    }


def _or_none(number: float) -> float | None:
    """JSON has no NaN."""
    return number if number == number else None
