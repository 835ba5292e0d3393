"""Jobs at local times: once a local date, whatever daylight saving and the clock do."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.core.ports import Phase
from controller.runtime.calendar import Calendar, CalendarJob, next_run, settled_on
from controller.runtime.store import Store
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run

BERLIN = ZoneInfo("Europe/Berlin")
SHANGHAI = ZoneInfo("Asia/Shanghai")
Fields = dict[str, int | str]


class SetClock(VirtualClock):
    """A wall clock that people and time servers set."""

    shift = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.shift


def runs(
    fields: Fields,
    zone: ZoneInfo,
    start: str,
    lasting: timedelta,
    ran_on: date | None = None,
    shifts: dict[float, timedelta] | None = None,
) -> list[str]:
    """When the job ran, in the zone's time, by the wall clock that there was."""
    loop = VirtualLoop()
    clock = SetClock(loop, datetime.fromisoformat(start).replace(tzinfo=zone).astimezone(UTC))
    ran: list[str] = []

    async def job() -> None:
        ran.append(clock.now().astimezone(zone).isoformat(timespec="minutes"))

    async def main() -> None:
        store = Store(None, clock)
        if ran_on is not None:
            await store.save_calendar("job", ran_on)
        calendar = Calendar([CalendarJob("job", fields, job)], zone, clock, store)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(calendar.run())
            for at, shift in sorted((shifts or {}).items()):
                await clock.sleep_until(at, Phase.PLANT, "set the clock")
                clock.shift = shift
            await clock.sleep_until(lasting.total_seconds(), Phase.RECORD, "end")
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        await store.close()

    run(main(), loop)
    return ran


def test_once_a_day_at_its_local_time() -> None:
    ran = runs({"hour": 3, "minute": 20}, SHANGHAI, "2026-07-06T12:00", timedelta(days=3))
    assert ran == ["2026-07-07T03:20+08:00", "2026-07-08T03:20+08:00", "2026-07-09T03:20+08:00"]


def test_the_hour_that_repeats_in_autumn_does_not_repeat_the_job() -> None:
    ran = runs({"hour": 2, "minute": 30}, BERLIN, "2026-10-24T12:00", timedelta(days=2))
    assert ran == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]


def test_the_hour_that_is_skipped_in_spring_does_not_skip_the_job() -> None:
    ran = runs({"hour": 2, "minute": 30}, BERLIN, "2026-03-28T12:00", timedelta(days=2))
    assert ran == ["2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00"]


def test_after_a_week_of_downtime_it_is_caught_up_once() -> None:
    ran = runs({"hour": 3}, SHANGHAI, "2026-07-06T12:00", timedelta(days=1), ran_on=date(2026, 6, 28))
    assert ran == ["2026-07-06T12:00+08:00", "2026-07-07T03:00+08:00"]


def test_what_is_caught_up_in_the_morning_does_not_cost_the_evening() -> None:
    ran = runs({"hour": 23}, SHANGHAI, "2026-07-06T09:00", timedelta(days=1), ran_on=date(2026, 7, 4))
    assert ran == ["2026-07-06T09:00+08:00", "2026-07-06T23:00+08:00"]


def test_a_restart_does_not_run_it_twice_on_a_date() -> None:
    ran = runs({"hour": 3}, SHANGHAI, "2026-07-06T03:00", timedelta(hours=23), ran_on=date(2026, 7, 6))
    assert ran == []


@pytest.mark.parametrize("ran_on", [None, date(2026, 7, 5)])
def test_a_clock_set_forward_past_the_time_runs_it_soon(ran_on: date | None) -> None:
    shifts = {3600.0: timedelta(hours=6)}
    ran = runs({"hour": 3}, SHANGHAI, "2026-07-06T00:00", timedelta(hours=4), ran_on, shifts)
    assert len(ran) == 1
    assert "2026-07-06T07:00+08:00" <= ran[0] <= "2026-07-06T07:01+08:00"


def test_a_clock_that_was_years_ahead_does_not_silence_it() -> None:
    shifts = {0.5: timedelta(days=0)}
    ran = runs({"hour": 3}, SHANGHAI, "2026-07-06T12:00", timedelta(days=1), date(2030, 1, 1), shifts)
    assert ran == ["2026-07-07T03:00+08:00"]


def test_a_clock_set_back_by_a_year_while_waiting_does_not_silence_it() -> None:
    shifts = {60.0: timedelta(days=-365)}
    ran = runs({"hour": 3}, SHANGHAI, "2026-07-06T12:00", timedelta(days=1), date(2026, 7, 6), shifts)
    assert ran == ["2025-07-07T03:00+08:00"]


def test_a_job_that_takes_long_holds_no_other_up_and_none_of_its_own() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, datetime(2026, 7, 6, 2, 0, tzinfo=SHANGHAI).astimezone(UTC))
    ran: list[str] = []

    async def slow() -> None:
        ran.append(f"slow {clock.now().astimezone(SHANGHAI):%d %H:%M}")
        await clock.sleep_until(clock.monotonic() + 5 * 3600.0, Phase.RECORD, "at work")

    async def quick() -> None:
        ran.append(f"quick {clock.now().astimezone(SHANGHAI):%d %H:%M}")

    async def main() -> None:
        store = Store(None, clock)
        jobs = [CalendarJob("slow", {"hour": 3}, slow), CalendarJob("quick", {"hour": 4}, quick)]
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(Calendar(jobs, SHANGHAI, clock, store).run())
            await clock.sleep_until(30 * 3600.0, Phase.RECORD, "end")
            running.cancel()
        await store.close()

    run(main(), loop)
    assert ran == ["slow 06 03:00", "quick 06 04:00", "slow 07 03:00", "quick 07 04:00"]


def test_a_job_that_never_comes_is_said() -> None:
    with pytest.raises(ValueError, match="never comes"):
        next_run({"month": 2, "day": 30}, SHANGHAI, None, datetime(2026, 7, 6, tzinfo=UTC))


@pytest.mark.parametrize("hour, stands_for", [(3, date(2026, 7, 6)), (23, date(2026, 7, 5))])
def test_a_run_stands_for_the_date_whose_time_has_come(hour: int, stands_for: date) -> None:
    noon = datetime(2026, 7, 6, 12, tzinfo=SHANGHAI)
    assert settled_on({"hour": hour}, SHANGHAI, noon) == stands_for
