"""What people do about alarms: acknowledge, shelve, take out of service; with name and reason, and kept."""

from __future__ import annotations

from datetime import timedelta

from controller.core.alarm import AlarmState, Standing, acknowledged, out_of_service, shelved, unshelved
from controller.core.ports import Clock
from controller.runtime.alarms import Alarms
from controller.runtime.listed_alarm import Alarm

# A long weekend: who needs longer takes the alarm out of service, or mends its rule.
LONGEST_SHELVING = timedelta(hours=72)


class AlarmActionRefused(Exception):
    """Why nothing is done to an alarm; told to whoever asked."""


class AlarmActions:
    def __init__(self, alarms: Alarms, clock: Clock) -> None:
        self._alarms = alarms
        self._clock = clock

    async def acknowledge(self, name: str, who: str) -> Alarm:
        """Somebody has seen the alarm. Raises AlarmActionRefused where there is nothing to acknowledge."""
        alarm = self._called(name)
        if alarm.standing.is_acknowledged:
            raise AlarmActionRefused(f"{name} is {_words(alarm.state)}; there is nothing to acknowledge")
        return await self._act(alarm, acknowledged(alarm.standing), who, "")

    async def acknowledge_all(self, who: str) -> list[Alarm]:
        waiting = [alarm for alarm in self._alarms.all if not alarm.standing.is_acknowledged]
        for alarm in waiting:
            self._alarms.move(alarm, acknowledged(alarm.standing), who)
        await self._alarms.keeping.save_all()
        return waiting

    async def shelve(self, name: str, lasting: timedelta, who: str, why: str) -> Alarm:
        """Keep an alarm from view for a time. Raises AlarmActionRefused."""
        alarm = self._called(name)
        if not timedelta(0) < lasting <= LONGEST_SHELVING:
            hours = LONGEST_SHELVING.total_seconds() / 3600
            raise AlarmActionRefused(f"shelving needs an end, at most {hours:g} h from now, such as --for 2h")
        _require_reason(why)
        until = self._clock.monotonic() + lasting.total_seconds()
        return await self._act(alarm, shelved(alarm.standing, until), who, why)

    async def unshelve(self, name: str, who: str) -> Alarm:
        alarm = self._called(name)
        if alarm.standing.shelved_until is None:
            raise AlarmActionRefused(f"{name} is not shelved")
        return await self._act(alarm, unshelved(alarm.standing), who, "")

    async def take_out_of_service(self, name: str, who: str, why: str) -> Alarm:
        """For maintenance, until somebody puts it back. Raises AlarmActionRefused."""
        _require_reason(why)
        alarm = self._called(name)
        return await self._act(alarm, out_of_service(alarm.standing, is_out=True), who, why)

    async def put_into_service(self, name: str, who: str) -> Alarm:
        alarm = self._called(name)
        if not alarm.standing.is_out_of_service:
            raise AlarmActionRefused(f"{name} is in service")
        return await self._act(alarm, out_of_service(alarm.standing, is_out=False), who, "")

    def _called(self, name: str) -> Alarm:
        for alarm in self._alarms.all:
            if str(alarm.id) == name:
                return alarm
        raise AlarmActionRefused(f"there is no alarm {name!r} in the list; see: tidewatt alarms SITE list --all")

    async def _act(self, alarm: Alarm, after: Standing, who: str, why: str) -> Alarm:
        """Durable before whoever asked gets an answer."""
        self._alarms.move(alarm, after, who, why)
        self._alarms.look_again()
        if not await self._alarms.keeping.save([alarm.id]):
            raise AlarmActionRefused(f"{alarm.id}: done, but the disk did not take it; a restart now would forget it")
        return alarm


def _words(state: AlarmState) -> str:
    return state.value.replace("_", " ")


def _require_reason(why: str) -> None:
    if not why:
        raise AlarmActionRefused("say why, such as --reason 'pump is being serviced'")
