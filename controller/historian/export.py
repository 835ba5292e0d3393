"""History as text for people, spreadsheets and programs. Pure.

First records (flat mappings of plain values, times written in the zone asked for, with their offset), then text.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TypeAlias

from controller.core.event import Event, JsonValue
from controller.core.point import PointId
from controller.core.ports import Aggregate, RecordedSample
from controller.historian.reading import Finest

Record: TypeAlias = Mapping[str, JsonValue]

AGGREGATE_FIELDS = ("time", "point", "samples", "minimum", "mean", "maximum", "last", "good_share")
FINEST_FIELDS = ("time", "point", "seconds", "value", "quality", "reason")
EVENT_FIELDS = ("time", "kind", "subject", "body")


# --- records ---------------------------------------------------------------------------------------------------------


def sample_records(rows: Iterable[RecordedSample], zone: tzinfo) -> Iterator[Record]:
    for point, sample in rows:
        yield {
            "time": _time(sample.timestamp, zone),
            "point": point,
            "value": sample.value,
            "quality": sample.quality.name,
            "reason": sample.reason,
        }


def aggregate_records(point: PointId, aggregates: Iterable[Aggregate], zone: tzinfo) -> Iterator[Record]:
    for aggregate in aggregates:
        figures = aggregate._asdict()
        del figures["start"]
        yield {"time": _time(aggregate.start, zone), "point": point, **figures}


def finest_records(point: PointId, finest: Finest, zone: tzinfo) -> Iterator[Record]:
    """One series in order of time. `seconds` is 0 for a sample, else the interval whose mean the value is.

    The quality of a mean is GOOD where the whole interval was good, BAD where nothing was known, else UNCERTAIN.
    """
    means = [(aggregate.start, 3600, aggregate) for aggregate in finest.hours]
    means += [(aggregate.start, 60, aggregate) for aggregate in finest.minutes]
    records: list[tuple[datetime, Record]] = [
        (
            start,
            {
                "time": _time(start, zone),
                "point": point,
                "seconds": seconds,
                "value": aggregate.mean,
                "quality": _quality(aggregate),
                "reason": "" if aggregate.good_share >= 1.0 else f"good {aggregate.good_share:.0%} of the time",
            },
        )
        for start, seconds, aggregate in means
    ]
    of_samples = sample_records(((point, sample) for sample in finest.samples), zone)
    records += [
        (sample.timestamp, {**record, "seconds": 0}) for sample, record in zip(finest.samples, of_samples, strict=True)
    ]
    records.sort(key=lambda item: item[0])
    return (record for _, record in records)


def event_records(events: Iterable[Event], zone: tzinfo) -> Iterator[Record]:
    for event in events:
        yield {
            "time": _time(event.at, zone),
            "kind": str(event.kind),
            "subject": event.subject,
            "body": dict(event.body),
        }


# --- text ------------------------------------------------------------------------------------------------------------


def as_csv(records: Iterable[Record], fields: Sequence[str]) -> Iterator[str]:
    """RFC 4180: a header, CRLF, quotes only where needed. Numbers in full, so that they read back as they were."""
    yield _csv_line(fields)
    for record in records:
        yield _csv_line([_cell(record.get(field)) for field in fields])


def as_json(records: Iterable[Record]) -> Iterator[str]:
    """One JSON array, a record a line. What JSON has no number for (NaN, infinities) is null."""
    separator = "[\n"
    for record in records:
        yield separator + _json(record)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def as_table(records: Iterable[Record], fields: Sequence[str]) -> str:
    """Columns under each other, numbers to the right, six significant digits."""
    rows = [[record.get(field) for field in fields] for record in records]
    cells = [list(fields), *[[_short(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(fields))]
    right = [
        any(_is_number(row[column]) for row in rows) and not any(isinstance(row[column], str) for row in rows)
        for column in range(len(fields))
    ]
    place: dict[bool, Callable[[str, int], str]] = {True: str.rjust, False: str.ljust}
    lines = (
        "  ".join(place[right[column]](cell, widths[column]) for column, cell in enumerate(row)).rstrip()
        for row in cells
    )
    return "\n".join(lines) + "\n"


def _time(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="microseconds" if moment.microsecond else "seconds")


def _quality(aggregate: Aggregate) -> str:
    if aggregate.mean is None and aggregate.good_share == 0.0:
        return "BAD"
    return "GOOD" if aggregate.good_share >= 1.0 else "UNCERTAIN"


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _cell(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value) if isinstance(value, (dict, list)) else str(value)


def _short(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return _cell(value)


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _json(value: Record | JsonValue) -> str:
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


def _finite(value: Record | JsonValue) -> JsonValue:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
