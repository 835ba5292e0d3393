"""tidewatt sunclock SITES.csv: when outdoor lamps go on and off, for one place or ten thousand, without hardware."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_json, duration, language
from controller.cli.output import complain, print_json, say, write_file
from controller.cli.secret_text import SECRET_HELP, secret_text
from controller.core.errors import ConfigError, EnvironmentProblem
from controller.core.terrain import DARK
from controller.core.text import Language
from controller.runtime.clock import RealClock
from controller.settings.web_address import web_address
from controller.sunclock import calendar_file, times_csv, words
from controller.sunclock.local_days import today
from controller.sunclock.picture import site_picture
from controller.sunclock.places import Place, Places, read_places
from controller.sunclock.pushing import Answering, push
from controller.sunclock.raster import as_png
from controller.sunclock.robot import Robot
from controller.sunclock.sun_times import Day, Event, day, timelines
from controller.sunclock.tasks import Tasks
from controller.sunclock.wall_page import as_html

MOST_DAYS = 3660
MOST_TOLD = 100  # lines; nobody mends more at a time
_LIGHTS = (5.0, 200.0)  # lx
_YEARS = (1950, 2100)
_EXAMPLES = (
    "tidewatt sunclock estates.csv --page wall.html\n"
    "  tidewatt sunclock estates.csv --date 2026-01-01 --days 365 --csv times.csv --calendar times.ics\n"
    "  tidewatt sunclock estates.csv --push env:TIDEWATT_ROBOT --tasks tasks.db --answers https://lamps.example.org"
)


def register(commands: Any) -> None:
    parser = add_command(
        commands, "sunclock", "when outdoor lamps go on and off, place by place, without any hardware", _EXAMPLES
    )
    parser.add_argument("places", type=Path, metavar="SITES.csv", help="name, latitude, longitude, time_zone ...")
    parser.add_argument("--date", type=_date, metavar="DATE", help="the first day (default: today at the first place)")
    parser.add_argument("--days", type=_days, default=1, metavar="N", help="how many days (default 1)")
    parser.add_argument(
        "--light", type=_light, default=DARK, metavar="LX", help=f"lamps on below (default {DARK:g} lx)"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a line a place and day")
    parser.add_argument("--calendar", type=Path, metavar="FILE", help="write the lit times as iCalendar")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write a picture a place of the first day, SVG")
    parser.add_argument("--png", action="store_true", help="pictures as PNG (needs rsvg-convert)")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="write the first day as HTML for A4, 30 places a sheet"
    )
    parser.add_argument("--push", metavar="REF", help=f"send text and picture to a group robot: {SECRET_HELP}")
    parser.add_argument("--message", choices=("markdown", "text"), default="markdown", help="the form of the text")
    parser.add_argument("--tasks", type=Path, metavar="FILE", help="where what was asked and answered is kept")
    parser.add_argument("--answers", metavar="URL", help="where staff reach `tidewatt sunclock-tasks serve`")
    parser.add_argument("--answer-within", type=duration, default="2h", metavar="TIME", help="then escalated (2h)")
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    _check(arguments)
    now = RealClock().now()
    asked: date | None = arguments.date
    places = read_places(arguments.places, (asked or now.date()).year, arguments.light)
    if not places.found:
        raise ConfigError(places.problems[:MOST_TOLD])
    _tell(places)
    first = asked or today(places.found[0].zone, now)
    _write_files(arguments, places.found, first, language())
    if not any((arguments.csv, arguments.calendar)) or any((arguments.pictures, arguments.page, arguments.push)):
        _show(arguments, _days_of(places.found, first, arguments.days))
    return Exit.CONFIGURATION if places.problems else Exit.OK


def _show(arguments: argparse.Namespace, days: Sequence[Day]) -> None:
    """What people look at."""
    firsts = [each for nth, each in enumerate(days) if nth == 0 or days[nth - 1].place is not each.place]
    if arguments.pictures is not None:
        _write_pictures(arguments.pictures, firsts, arguments.light, as_raster=arguments.png)
    if arguments.page is not None:
        write_file(arguments.page, as_html(firsts, arguments.light, language()))
    if arguments.push is not None:
        _push(arguments, firsts)
    if any((arguments.csv, arguments.calendar, arguments.pictures, arguments.page, arguments.push)):
        return
    if arguments.json:
        print_json([_as_data(each) for each in days])
    else:
        _print_table(days, language())


def _check(arguments: argparse.Namespace) -> None:
    if (arguments.tasks is None) != (arguments.answers is None):
        raise EnvironmentProblem("--tasks and --answers belong together: the file, and the server that reads it")
    if arguments.answers is not None:
        try:
            web_address(arguments.answers)
        except ValueError as error:
            raise EnvironmentProblem(f"--answers: {error}") from None
    if arguments.tasks is not None and arguments.push is None:
        raise EnvironmentProblem("--tasks asks people by --push REF")
    if arguments.png and arguments.pictures is None:
        raise EnvironmentProblem("--png is for --pictures FOLDER")


def _tell(places: Places) -> None:
    for problem in places.warnings[:MOST_TOLD]:
        complain(f"warning: {problem}")
    for problem in places.problems[:MOST_TOLD]:
        complain(str(problem))
    if places.problems:
        left, done = len(places.problems), len(places.found)
        complain(f"left out: {left} line{'s' if left > 1 else ''}; done: {done} place{'' if done == 1 else 's'}")


def _days_of(places: Sequence[Place], first: date, count: int) -> list[Day]:
    """One day more is worked out than asked for: each tells of its tomorrow."""
    return [
        day(timeline, nth)
        for timeline in timelines(places, first, count + 1)
        for nth in range(min(count, len(timeline.days.dates) - 1))
    ]


def _write_files(arguments: argparse.Namespace, places: Sequence[Place], first: date, spoken: Language) -> None:
    if arguments.csv is not None:
        _write_lines(arguments.csv, times_csv.lines(timelines(places, first, arguments.days)))
    if arguments.calendar is not None:
        found = timelines(places, first, arguments.days)
        _write_lines(arguments.calendar, calendar_file.lines(found, RealClock().now(), spoken))


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be written: {error.strerror}") from error
    say(str(path))


def _write_pictures(folder: Path, days: Sequence[Day], illuminance: float, *, as_raster: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for nth, each in enumerate(days, 1):
            name = "".join(char if char.isalnum() else "_" for char in each.place.name)
            path = folder / f"{nth:05d}_{name[:60]}.{'png' if as_raster else 'svg'}"
            picture = site_picture(each, illuminance)
            path.write_bytes(as_png(picture) if as_raster else picture.encode())
    except OSError as error:
        raise EnvironmentProblem(f"{folder} cannot be written: {error.strerror}") from error
    say(str(folder))


def _push(arguments: argparse.Namespace, days: Sequence[Day]) -> None:
    clock = RealClock()
    robot = Robot(secret_text(arguments.push), clock)
    answering = None
    if arguments.tasks is not None:
        answering = Answering(Tasks(arguments.tasks, make=True), arguments.answers, arguments.answer_within)
    is_markdown = arguments.message == "markdown"
    count = asyncio.run(push(days, arguments.light, robot, clock, answering, markdown=is_markdown))
    say(f"{count} messages to {robot.host}")


def _print_table(days: Sequence[Day], spoken: Language) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(words.PLACE.in_language(spoken))
    table.add_column("")
    for event in Event:
        table.add_column(words.EVENTS[event].in_language(spoken), justify="right")
    table.add_column("h", justify="right")
    for each in days:
        name = each.place.name_zh if spoken == "zh" else each.place.name
        season = words.season(each).in_language(spoken)
        cells = [_cell(each, event, spoken) for event in Event]
        table.add_row(name, f"{each.date} {season}".rstrip(), *cells, f"{each.lit_hours:.1f}")
    Console(highlight=False).print(table)


def _cell(each: Day, event: Event, spoken: Language) -> str:
    if event in (Event.LAMPS_OFF, Event.LAMPS_ON):
        return words.switching(each, event).in_language(spoken)
    return words.clock(each, event) or "-"


def _as_data(each: Day) -> dict[str, Any]:
    times = {event.value: [each.local(moment).isoformat() for moment in each.times[event]] for event in Event}
    return {
        "name": each.place.name,
        "date": each.date.isoformat(),
        "season": each.season.value,
        **times,
        "lit_hours": round(each.lit_hours, 3),
        "on_later_tomorrow_s": each.on_later_tomorrow,
        "off_later_tomorrow_s": each.off_later_tomorrow,
    }


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-11-23") from None
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise argparse.ArgumentTypeError(f"{day.year} is out of range: {_YEARS[0]} to {_YEARS[1]}")
    return day


def _days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to {MOST_DAYS}")
    return int(text)


def _light(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not _LIGHTS[0] <= value <= _LIGHTS[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is no light from {_LIGHTS[0]:g} to {_LIGHTS[1]:g} lx")
    return value
