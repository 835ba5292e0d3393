"""What is kept how long, and the slices of work that see to it. Each runs inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from controller.historian.aggregates import merged
from controller.historian.stored_aggregates import day_minutes, store_buckets
from controller.historian.timeline import DAY, HOUR, MICROSECOND, MINUTE

SLICE_BLOCKS = 500

# Stragglers of a day are awaited this long before its aggregates are stored; later ones are worked in afterwards.
SETTLE = HOUR // 2

# Nothing is thrown away until the clock has run steadily for a day: one set to next year would empty the history.
STEADY = DAY
LONGEST_PAUSE = 7 * DAY


@dataclass(frozen=True, slots=True)
class Retention:
    """Hours and days are kept for ever. 13 months of minutes, so that a month can be laid beside last year's."""

    samples: timedelta = timedelta(hours=48)
    minutes: timedelta = timedelta(days=396)


def waiting_days(connection: sqlite3.Connection, now: int) -> list[tuple[int, int]]:
    """The (day, point) that are over and not aggregated, oldest first."""
    return connection.execute(
        "SELECT day, point FROM stale_day WHERE day <= ? ORDER BY day, point", (now - DAY - SETTLE,)
    ).fetchall()


def aggregate_day(connection: sqlite3.Connection, day: int, point: int, hold: int) -> None:
    minutes = day_minutes(connection, point, day, hold)
    store_buckets(connection, MINUTE, point, minutes)
    store_buckets(connection, HOUR, point, merged(minutes, HOUR))
    store_buckets(connection, DAY, point, merged(minutes, DAY))
    connection.execute("DELETE FROM stale_day WHERE day = ? AND point = ?", (day, point))


def may_thin(connection: sqlite3.Connection, now: int) -> bool:
    """Note that maintenance runs now; answer whether the clock has been steady long enough to throw anything away."""
    noted: dict[str, int] = dict(connection.execute("SELECT name, value FROM meta"))
    before, steady = noted.get("maintained"), noted.get("steady_since", now)
    if before is None or not -HOUR <= now - before <= LONGEST_PAUSE:
        steady = now
    connection.executemany("REPLACE INTO meta VALUES (?, ?)", [("maintained", now), ("steady_since", steady)])
    return now - steady >= STEADY


def thin_samples(connection: sqlite3.Connection, now: int, keep: Retention) -> int:
    """Drop blocks that are old enough and aggregated; answers how many."""
    before = now - keep.samples // MICROSECOND - HOUR
    return connection.execute(
        "DELETE FROM sample_block WHERE id IN (SELECT id FROM sample_block AS old WHERE hour <= ? AND NOT EXISTS"
        " (SELECT 1 FROM stale_day WHERE day > old.hour - ? AND day <= old.hour AND stale_day.point = old.point)"
        " LIMIT ?)",
        (before, DAY, SLICE_BLOCKS),
    ).rowcount


def thin_minutes(connection: sqlite3.Connection, now: int, keep: Retention) -> int:
    before = now - keep.minutes // MICROSECOND - DAY
    return connection.execute(
        "DELETE FROM aggregate_block WHERE id IN"
        " (SELECT id FROM aggregate_block WHERE step = ? AND first <= ? LIMIT ?)",
        (MINUTE, before, SLICE_BLOCKS),
    ).rowcount
