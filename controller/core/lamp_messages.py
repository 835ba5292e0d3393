"""The day's lamp times for people who set time switches by hand: to whom they are sent, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class LampMessages:
    """A site's sunclock.yaml.

    places: the CSV file of them. at: the site's local time. to, escalate_to: addresses of group robots with their keys,
    the latter "" where nobody else is told. illuminance: lamps are on below [lx]. answers: where staff reach the server
    of answers, "" where nobody is asked to answer. answer_within: how long after asking a task is due.
    """

    places: Path
    at: time
    to: str = field(repr=False)
    illuminance: float
    is_markdown: bool = True
    has_pictures: bool = True
    answers: str = ""
    answer_within: timedelta = timedelta(hours=2)
    escalate_to: str = field(default="", repr=False)


def sending_time(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Aware UTC. For a time that clocks skip, what they show instead; of one that they show twice, the first."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def day_to_send(at: time, zone: ZoneInfo, now: datetime, whole: date | None) -> date | None:
    """The local date whose times are due; None while none are. A day that was missed is not made up for.

    whole: the latest date of which everything was sent; one still to come was noted by a clock that was wrong.
    """
    today = now.astimezone(zone).date()
    if whole is not None and whole >= today:
        return None
    return today if sending_time(today, at, zone) <= now else None


def next_sending(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Aware UTC, after now."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=nth) for nth in range(3))
    return next(moment for day in days if (moment := sending_time(day, at, zone)) > now)
