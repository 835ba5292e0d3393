"""Minutes, hours and days of one point out of the file, worked out anew where samples came in since."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from controller.historian import hot
from controller.historian.aggregate_block import INTERVALS, decode, encode
from controller.historian.aggregates import Bucket, merged, minutes, renewed
from controller.historian.stored_samples import read_rows
from controller.historian.timeline import DAY, MINUTE, ceiling, floor


def read_buckets(
    connection: sqlite3.Connection, point: int, start: int, end: int, step: int, hold: int
) -> list[Bucket]:
    """All whole intervals that touch start <= time < end."""
    start, end = floor(start, step), ceiling(end, step)
    buckets = stored_buckets(connection, step, point, start, end)
    stale = stale_days(connection, point, start, end, hold)
    if not stale:
        return buckets
    stored = {bucket.start: bucket for bucket in buckets}
    for day in stale:
        fresh = day_minutes(connection, point, day, hold)
        for bucket in fresh if step == MINUTE else merged(fresh, step):
            if start <= bucket.start < end:
                stored[bucket.start] = bucket
    return [stored[when] for when in sorted(stored)]


def day_minutes(connection: sqlite3.Connection, point: int, day: int, hold: int) -> list[Bucket]:
    """The minutes of one day as its samples, and where those are gone what was stored before, say."""
    rows = read_rows(connection, point, day - hold, day + DAY + hold)
    computed = [bucket for bucket in minutes(rows, hold) if day <= bucket.start < day + DAY]
    return renewed(stored_buckets(connection, MINUTE, point, day, day + DAY), computed)


def stale_days(connection: sqlite3.Connection, point: int, start: int, end: int, hold: int) -> list[int]:
    """The days between start and end of which the stored aggregates do not say everything yet."""
    listed = connection.execute(
        "SELECT day FROM stale_day WHERE point = ? AND day >= ? AND day < ?", (point, floor(start, DAY), end)
    )
    days = {int(day) for (day,) in listed}
    unsealed = hot.rows_between(connection, point, floor(start, DAY) - hold, ceiling(end, DAY) + hold)
    for minute in {floor(row[0], MINUTE) for row in unsealed}:
        days |= touched_days(minute, minute + MINUTE, hold)
    return sorted(day for day in days if floor(start, DAY) <= day < end)


def touched_days(first: int, last: int, hold: int) -> set[int]:
    """The days whose aggregates samples from first to last can change: what is held reaches over midnight."""
    return set(range(floor(first - hold, DAY), last + hold + 1, DAY))


def stored_buckets(connection: sqlite3.Connection, step: int, point: int, start: int, end: int) -> list[Bucket]:
    buckets: list[Bucket] = []
    for (body,) in stored_bodies(connection, step, point, start, end):
        decoded = _decoded(body)
        if decoded and not (start <= decoded[0].start and decoded[-1].start < end):
            decoded = [bucket for bucket in decoded if start <= bucket.start < end]
        buckets += decoded
    return buckets


def stored_bodies(
    connection: sqlite3.Connection, step: int, point: int, start: int, end: int
) -> Sequence[tuple[bytes]]:
    return connection.execute(
        "SELECT body FROM aggregate_block WHERE step = ? AND point = ? AND first >= ? AND first < ? ORDER BY first",
        (step, point, floor(start, step * INTERVALS), end),
    ).fetchall()


def store_buckets(connection: sqlite3.Connection, step: int, point: int, buckets: Sequence[Bucket]) -> None:
    """Put these in place of the stored ones of the same starts; the others stay."""
    span = step * INTERVALS
    for first in sorted({floor(bucket.start, span) for bucket in buckets}):
        kept = {bucket.start: bucket for bucket in stored_buckets(connection, step, point, first, first + span)}
        kept |= {bucket.start: bucket for bucket in buckets if first <= bucket.start < first + span}
        body = encode([kept[start] for start in sorted(kept)])
        connection.execute(
            "INSERT INTO aggregate_block(step, point, first, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT(step, point, first) DO UPDATE SET body = excluded.body",
            (step, point, first, body),
        )


def _decoded(body: bytes) -> list[Bucket]:
    try:
        return decode(body)
    except ValueError:  # damaged: the samples, if they are still there, can make it again
        return []
