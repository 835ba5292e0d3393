"""tidewatt history SITE POINT...: query and export what was recorded, while the daemon runs or without it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from controller.cli.arguments import Exit, add_command, add_site, duration
from controller.cli.site_folder import load_site
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind
from controller.core.point import PointId
from controller.core.ports import HistoryInterval
from controller.historian import export
from controller.historian.reading import SqliteHistoryReader

# What happened while everything was being let go comes after the last sample.
AFTER_THE_LAST_SAMPLE = timedelta(minutes=15)

_INTERVALS = {"minute": HistoryInterval.MINUTE, "hour": HistoryInterval.HOUR, "day": HistoryInterval.DAY}


class _Period(NamedTuple):
    start: datetime
    end: datetime


class _Table(NamedTuple):
    records: Iterator[export.Record]
    fields: Sequence[str]


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "history",
        "print or export recorded samples, aggregates and events",
        "tidewatt history config/sites/demo 'garage.*' --from 2026-07-06 --to 2026-07-07 --csv > day.csv",
    )
    add_site(parser)
    parser.add_argument("points", nargs="*", metavar="POINT", help="point ids or patterns such as 'garage.*'")
    parser.add_argument("--from", dest="start", metavar="TIME", help="local time, 2026-07-06 or 2026-07-06T18:30")
    parser.add_argument("--to", dest="end", metavar="TIME", help="default: the end of what is recorded")
    parser.add_argument("--last", type=duration, default=timedelta(hours=24), metavar="TIME", help="if no --from (24h)")
    parser.add_argument("--every", choices=("sample", *_INTERVALS), default="sample", help="samples, or means")
    parser.add_argument("--events", action="store_true", help="events instead of samples; POINT then names subjects")
    parser.add_argument(
        "--kind",
        action="append",
        default=[],
        choices=[kind.value for kind in EventKind],
        help="only these events; implies --events",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--csv", action="store_true", help="comma-separated, for spreadsheets")
    shape.add_argument("--json", action="store_true", help="a JSON array")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    reader = SqliteHistoryReader(site.folder / "state" / "history.db")
    period = _period(arguments, reader, site.zone)
    if arguments.events or arguments.kind:
        table = _events(arguments, reader, period, site.zone)
    else:
        points = _chosen(reader.points(), arguments.points)
        table = _samples(points, reader, period, site.zone, arguments.every)
    if arguments.csv:
        sys.stdout.writelines(export.as_csv(*table))
    elif arguments.json:
        sys.stdout.writelines(export.as_json(table.records))
    else:
        sys.stdout.write(export.as_table(*table))
    return Exit.OK


def _samples(
    points: Sequence[PointId], reader: SqliteHistoryReader, period: _Period, zone: ZoneInfo, every: str
) -> _Table:
    if every == "sample":
        of_points = (export.finest_records(point, reader.read_finest(point, *period), zone) for point in points)
        return _Table(chain.from_iterable(of_points), export.FINEST_FIELDS)
    interval = _INTERVALS[every]
    of_points = (
        export.aggregate_records(point, reader.read_aggregates(point, *period, interval), zone) for point in points
    )
    return _Table(chain.from_iterable(of_points), export.AGGREGATE_FIELDS)


def _events(arguments: argparse.Namespace, reader: SqliteHistoryReader, period: _Period, zone: ZoneInfo) -> _Table:
    kinds = [EventKind(kind) for kind in arguments.kind]
    events = reader.read_events(*period, kinds)
    patterns: list[str] = arguments.points
    chosen = (
        event for event in events if not patterns or any(fnmatchcase(event.subject, pattern) for pattern in patterns)
    )
    return _Table(export.event_records(chosen, zone), export.EVENT_FIELDS)


def _chosen(recorded: Sequence[PointId], patterns: Sequence[str]) -> list[PointId]:
    if not patterns:
        raise EnvironmentProblem("say which points, for instance 'garage.*'; see: tidewatt points SITE list")
    chosen = [point for point in recorded if any(fnmatchcase(point, pattern) for pattern in patterns)]
    if not chosen:
        raise EnvironmentProblem(f"nothing is recorded of {', '.join(patterns)}; see: tidewatt points SITE list")
    return chosen


def _period(arguments: argparse.Namespace, reader: SqliteHistoryReader, zone: ZoneInfo) -> _Period:
    span = reader.event_span() if arguments.events or arguments.kind else reader.span()
    if span is None:
        raise EnvironmentProblem("nothing is recorded yet")
    end = _time(arguments.end, zone) if arguments.end else span[1] + AFTER_THE_LAST_SAMPLE
    start = _time(arguments.start, zone) if arguments.start else end - arguments.last
    return _Period(start, end)


def _time(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise EnvironmentProblem(f"{text!r} is no time; write 2026-07-06 or 2026-07-06T18:30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
