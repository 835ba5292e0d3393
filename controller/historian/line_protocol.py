"""Samples and events as InfluxDB line protocol (InfluxData, "Line protocol reference", API v2), times in microseconds.

docs/history.md tells the measurements, tags and fields. Ready lines cost a quarter of what the library's own Point
objects do: benchmarks of 2,500 points a second.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from controller.core.event import Event
from controller.core.point import Point, PointId
from controller.core.ports import RecordedSample
from controller.core.sample import Sample, Scalar
from controller.historian.timeline import EPOCH, MICROSECOND

SAMPLES = "tidewatt"
EVENTS = "tidewatt_event"

# InfluxDB keeps nanoseconds in 64 bits: 1677 to 2262.
_GREATEST_TIME = (2**63 - 1) // 1000
# A string field holds 64 kB; a Chinese character takes three.
LONGEST_TEXT = 20_000

_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\ ", "\r": "\\ ", "\t": "\\ ", "\\": "/"})
# A line break inside quotes is allowed, and VictoriaMetrics cuts there all the same.
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " ", "\r": " "})


class LineProtocol:
    """The lines of one site; `site` tells it from others in the same bucket."""

    def __init__(self, site: str, points: Mapping[PointId, Point]) -> None:
        self._site = _tag(site)
        self._series = {point.id: self._series_of(point) for point in points.values()}

    def lines(self, records: Iterable[RecordedSample | Event]) -> list[str]:
        """A line for each record that can be told; one whose time InfluxDB cannot store is left out."""
        found: list[str] = []
        stamp, time = EPOCH, 0
        for record in records:
            moment = record.at if isinstance(record, Event) else record[1].timestamp
            if moment is not stamp:  # samples of one request share their timestamp
                stamp, time = moment, _microseconds(moment)
            if abs(time) <= _GREATEST_TIME:
                told = self._event(record) if isinstance(record, Event) else self._sample(*record)
                found.append(f"{told} {time}")
        return found

    def _series_of(self, point: Point) -> str:
        """Measurement and tags, sorted by name as InfluxDB likes them best."""
        area, equipment, quantity = point.id.split(".")
        return (
            f"{SAMPLES},area={area},equipment={equipment},kind={point.kind.value},point={point.id},"
            f"quantity={quantity},site={self._site},unit={_tag(point.unit.value)}"
        )

    def _sample(self, point: PointId, sample: Sample) -> str:
        value = _value_field(sample.value)
        reason = f",reason={_text(sample.reason)}" if sample.reason else ""
        return f"{self._series[point]} {value}quality={sample.quality:d}i{reason}"

    def _event(self, event: Event) -> str:
        body = json.dumps(dict(event.body), ensure_ascii=False, separators=(",", ":"))
        tags = f"kind={event.kind.value},site={self._site},subject={_tag(event.subject)}"
        return f"{EVENTS},{tags} body={_text(body)}"


def _value_field(value: Scalar | None) -> str:
    """Numbers and switches are one field of one type, so that no point can bring a type conflict; text is another."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"text={_text(value)},"
    number = float(value)
    return f"value={number!r}," if math.isfinite(number) else ""


def _tag(text: str) -> str:
    """A tag may be neither empty nor end with a backslash."""
    return text.translate(_TAG) or "none"


def _text(text: str) -> str:
    return f'"{text[:LONGEST_TEXT].translate(_TEXT)}"'


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
