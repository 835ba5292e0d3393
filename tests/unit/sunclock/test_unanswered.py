"""Who has not answered, as alarms: of each place, or of all together where there would be a flood of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from controller.sunclock.tasks import Task
from controller.sunclock.unanswered import alarms_of

DUE = datetime(2026, 3, 20, 2, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def silent(count: int) -> list[Task]:
    return [Task(f"w{nth}", f"Estate {nth}", date(2026, 3, 20), "on", DUE, DUE, None, "", None) for nth in range(count)]


def test_a_place_has_an_alarm_of_its_own_that_says_since_when() -> None:
    found = alarms_of(silent(10), "site", SHANGHAI)
    assert list(found) == [f"Estate {nth}" for nth in range(10)]
    assert found["Estate 3"].en == "the times of 2026-03-20 were due by 2026-03-20 10:00"


def test_more_places_than_a_person_can_follow_have_one_for_all() -> None:
    assert alarms_of([], "site", SHANGHAI) == {}
    found = alarms_of(silent(11), "site", SHANGHAI)
    assert list(found) == ["site"]
    assert found["site"].en.startswith("11 places have not answered: Estate 0, Estate 1, ")
    assert found["site"].zh.startswith("11 处未登记完成：Estate 0")
