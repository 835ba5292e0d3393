"""Seasons, day types and hours as people say them, in messages and pictures."""

from __future__ import annotations

from collections.abc import Collection

from controller.core.tariff_calendar import YEAR, DayType, MonthDay, days_of_month
from controller.core.text import Text

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_TYPES = {
    DayType.WEEKDAY: Text("weekdays", "工作日"),
    DayType.WEEKEND: Text("weekends", "周末"),
    DayType.HOLIDAY: Text("holidays", "节假日"),
}


def clock(minute: int) -> str:
    """08:30; the end of a day is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def type_words(types: Collection[DayType]) -> Text:
    if len(set(types)) == len(DayType):
        return Text("every day", "每天")
    named = [_TYPES[type_] for type_ in DayType if type_ in types]
    return Text(" and ".join(each.en for each in named), "、".join(each.zh for each in named))


def season_words(days: Collection[MonthDay]) -> Text:
    """July to September; 16 May to 15 October; 29 February."""
    if len(set(days)) == len(YEAR):
        return Text("all year", "全年")
    told = [_run_words(first, last) for first, last in runs(set(days))]
    return Text(_listed([each.en for each in told]), "、".join(each.zh for each in told))


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def runs(days: set[MonthDay]) -> list[tuple[MonthDay, MonthDay]]:
    """First and last of each run of days; a run goes on over the turn of the year."""
    found: list[tuple[MonthDay, MonthDay]] = []
    for before, day in zip((YEAR[-1], *YEAR), YEAR, strict=False):
        if day in days and found and found[-1][1] == before:
            found[-1] = (found[-1][0], day)
        elif day in days:
            found.append((day, day))
    if len(found) > 1 and found[0][0] == YEAR[0] and found[-1][1] == YEAR[-1]:
        found[0] = (found.pop()[0], found[0][1])
    return found


def _run_words(first: MonthDay, last: MonthDay) -> Text:
    if first.day == 1 and last == days_of_month(last.month)[-1]:
        if first.month == last.month:
            return Text(_MONTHS[first.month - 1], f"{first.month}月")
        return Text(f"{_MONTHS[first.month - 1]} to {_MONTHS[last.month - 1]}", f"{first.month}月至{last.month}月")
    start, end = _day_words(first), _day_words(last)
    return start if first == last else Text(f"{start.en} to {end.en}", f"{start.zh}至{end.zh}")


def _day_words(day: MonthDay) -> Text:
    return Text(f"{day.day} {_MONTHS[day.month - 1]}", f"{day.month}月{day.day}日")
