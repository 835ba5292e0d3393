"""History as text, as other programs have to read it."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from zoneinfo import ZoneInfo

from controller.core.event import Event, EventKind
from controller.core.ports import Aggregate
from controller.core.sample import Quality, good
from controller.historian.export import (
    AGGREGATE_FIELDS,
    EVENT_FIELDS,
    FINEST_FIELDS,
    aggregate_records,
    as_csv,
    as_json,
    as_table,
    event_records,
    finest_records,
    sample_records,
)
from controller.historian.reading import Finest
from tests.unit.historian.support import POWER, START, at, recorded, sample

SHANGHAI = ZoneInfo("Asia/Shanghai")
SAMPLE_FIELDS = ("time", "point", "value", "quality", "reason")

ROWS = [
    recorded(0, 0.1 + 0.2),
    recorded(0.25, True),
    recorded(2, 7),
    (POWER, sample(3, None, Quality.BAD, 'device "m1" lost, retrying\n冷')),
]


def test_csv_is_rfc_4180_with_offset_and_quality() -> None:
    text = "".join(as_csv(sample_records(ROWS, SHANGHAI), SAMPLE_FIELDS))
    assert text == (
        "time,point,value,quality,reason\r\n"
        "2026-08-01T08:00:00+08:00,site.main_meter.power,0.30000000000000004,GOOD,\r\n"
        "2026-08-01T08:00:00.250000+08:00,site.main_meter.power,true,GOOD,\r\n"
        "2026-08-01T08:00:02+08:00,site.main_meter.power,7,GOOD,\r\n"
        '2026-08-01T08:00:03+08:00,site.main_meter.power,,BAD,"device ""m1"" lost, retrying\n冷"\r\n'
    )
    assert [len(row) for row in csv.reader(io.StringIO(text, newline=""))] == [5] * 5


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    zone = ZoneInfo("Europe/Berlin")
    twice = START.replace(month=10, day=25, hour=0, minute=30)
    rows = [(POWER, good(1.0, twice + timedelta(hours=hour), 0.0)) for hour in range(2)]
    assert [record["time"] for record in sample_records(rows, zone)] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
    ]


def test_json_keeps_types_and_has_no_number_that_json_has_not() -> None:
    rows = [*ROWS, recorded(4, float("nan")), recorded(5, float("inf"))]
    found = json.loads("".join(as_json(sample_records(rows, SHANGHAI))))
    assert [record["value"] for record in found] == [0.1 + 0.2, True, 7, None, None, None]
    assert found[1]["value"] is True
    assert json.loads("".join(as_json([]))) == []


def test_a_table_for_people() -> None:
    records = sample_records([recorded(0, 21.3456789), recorded(60, 5.0)], SHANGHAI)
    assert as_table(records, SAMPLE_FIELDS).splitlines() == [
        "time                       point                    value  quality  reason",
        "2026-08-01T08:00:00+08:00  site.main_meter.power  21.3457  GOOD",
        "2026-08-01T08:01:00+08:00  site.main_meter.power        5  GOOD",
    ]
    assert as_table([], SAMPLE_FIELDS) == "time  point  value  quality  reason\n"


def test_aggregates() -> None:
    aggregates = [Aggregate(START, 2, 1.0, 1.5, 2.0, 2.0, 1.0), Aggregate(at(60), 0, None, None, None, None, 0.0)]
    assert list(as_csv(aggregate_records(POWER, aggregates, SHANGHAI), AGGREGATE_FIELDS)) == [
        "time,point,samples,minimum,mean,maximum,last,good_share\r\n",
        "2026-08-01T08:00:00+08:00,site.main_meter.power,2,1.0,1.5,2.0,2.0,1.0\r\n",
        "2026-08-01T08:01:00+08:00,site.main_meter.power,0,,,,,0.0\r\n",
    ]


def test_one_series_of_hours_minutes_and_samples() -> None:
    hour = Aggregate(START, 3600, 1.0, 1.5, 2.0, 2.0, 1.0)
    minute = Aggregate(at(3600), 30, 1.0, 2.5, 3.0, 2.0, 0.5)
    lost = Aggregate(at(3660), 0, None, None, None, None, 0.0)
    finest = Finest([hour], [minute, lost], [sample(7200, 3.5)])
    assert list(as_csv(finest_records(POWER, finest, SHANGHAI), FINEST_FIELDS))[1:] == [
        "2026-08-01T08:00:00+08:00,site.main_meter.power,3600,1.5,GOOD,\r\n",
        "2026-08-01T09:00:00+08:00,site.main_meter.power,60,2.5,UNCERTAIN,good 50% of the time\r\n",
        "2026-08-01T09:01:00+08:00,site.main_meter.power,60,,BAD,good 0% of the time\r\n",
        "2026-08-01T10:00:00+08:00,site.main_meter.power,0,3.5,GOOD,\r\n",
    ]


def test_events() -> None:
    events = [Event(START, EventKind.ALARM, "plant", {"why": "高温", "limits": [1, float("inf")]})]
    (found,) = json.loads("".join(as_json(event_records(events, SHANGHAI))))
    assert found == {
        "time": "2026-08-01T08:00:00+08:00",
        "kind": "alarm",
        "subject": "plant",
        "body": {"why": "高温", "limits": [1, None]},
    }
    _, row = csv.reader(as_csv(event_records(events, SHANGHAI), EVENT_FIELDS))
    assert json.loads(row[3])["why"] == "高温"
