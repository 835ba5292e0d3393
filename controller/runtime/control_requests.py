"""What may be asked of a running daemon, by command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from controller.core.errors import EnvironmentProblem
from controller.core.event import JsonValue
from controller.core.point import PointId
from controller.core.system import Authority
from controller.runtime import alarm_requests, commissioning_requests, equipment_requests, point_status, status
from controller.runtime.alarm_actions import AlarmActionRefused
from controller.runtime.authorities import AuthorityRefused
from controller.runtime.availability import AvailabilityRefused
from controller.runtime.daemon import Daemon
from controller.runtime.equipment_log import MaintenanceRefused
from controller.runtime.fire import FireResetRefused
from controller.runtime.health import health
from controller.runtime.inspector import InspectionRefused
from controller.runtime.operator import OperatorCommandRefused
from controller.runtime.reload import ReloadRefused, told
from controller.runtime.request_fields import RequestRefused, lasting_of, point_of, system_of, who_of
from controller.runtime.silence_measurement import SilenceRefused
from controller.runtime.work_orders import WorkOrderRefused

# Their words go to whoever asked.
REFUSALS = (
    RequestRefused,
    OperatorCommandRefused,
    AuthorityRefused,
    InspectionRefused,
    SilenceRefused,
    AlarmActionRefused,
    MaintenanceRefused,
    FireResetRefused,
    ReloadRefused,
    AvailabilityRefused,
    WorkOrderRefused,
    EnvironmentProblem,
)

Handler = Callable[[Daemon, Mapping[str, Any]], Awaitable[JsonValue]]


async def _status(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return status.status(daemon)


async def _health(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return await health(daemon)


async def _points(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return point_status.points(daemon)


async def _explain(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return point_status.explain(daemon, point_of(daemon, request))


async def _inspect(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    point = point_of(daemon, request)
    return point_status.inspected(daemon, point, await daemon.inspector.inspect(point))


async def _write(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    value = request.get("value")
    if not isinstance(value, (bool, int, float, str)):
        raise RequestRefused("a command needs a value")
    lasting, point = lasting_of(request), point_of(daemon, request)
    await daemon.command(point, value, lasting, who_of(request), str(request.get("reason", "")))
    return point_status.explain(daemon, point)


async def _relinquish(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return {"there_was_a_command": await daemon.relinquish(point_of(daemon, request), who_of(request))}


async def _authority(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    system, authority = system_of(daemon, request), str(request.get("authority"))
    if authority not in set(Authority):
        raise RequestRefused(f"authority is {' or '.join(Authority)}, not {authority!r}")
    lasting = None if request.get("for_s") is None else lasting_of(request)
    await daemon.set_authority(system, Authority(authority), who_of(request), lasting)
    return {id_: each.value for id_, each in daemon.authority.items()}


async def _resume_ab_days(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    await daemon.resume_ab_days(system_of(daemon, request), who_of(request))
    return {id_: each.value for id_, each in daemon.authority.items()}


async def _reset_latch(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return {"was_latched": await daemon.reset_latch(who_of(request))}


async def _fire(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return status.fire(daemon)


async def _reset_fire(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    point = request.get("point")
    reset = await daemon.fire.reset(None if point is None else PointId(str(point)), who_of(request))
    return {"reset": [str(each) for each in reset], "fire": status.fire(daemon)}


async def _retry(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    name = str(request.get("name"))
    try:
        daemon.retry(name, who_of(request))
    except KeyError:
        known = [each.mount.id for each in daemon.strategies] + [each.link.id for each in daemon.links]
        there_are = f"there are {', '.join(known)}"
        what = "strategy, link or equipment"
        raise RequestRefused(f"there is no {what} {name!r} in this site; {there_are}") from None
    return {"retried": name}


async def _reload(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    outcome = await daemon.reloads.request(who_of(request), is_dry_run=request.get("dry_run") is True)
    return {"result": outcome.result.value, **told(outcome)}


HANDLERS: Mapping[str, Handler] = {
    "status": _status,
    "points": _points,
    "health": _health,
    "explain": _explain,
    "inspect": _inspect,
    "write": _write,
    "relinquish": _relinquish,
    "authority": _authority,
    "resume_ab_days": _resume_ab_days,
    "reset_latch": _reset_latch,
    "record": commissioning_requests.record,
    "silence": commissioning_requests.silence,
    "silence_progress": commissioning_requests.silence_progress,
    "silence_stop": commissioning_requests.silence_stop,
    "alarms": alarm_requests.alarms,
    "acknowledge": alarm_requests.acknowledge,
    "shelve": alarm_requests.shelve,
    "unshelve": alarm_requests.unshelve,
    "out_of_service": alarm_requests.out_of_service,
    "into_service": alarm_requests.into_service,
    "silence_siren": alarm_requests.silence_siren,
    "order": alarm_requests.order,
    "close_order": alarm_requests.close_order,
    "equipment": equipment_requests.equipment,
    "equipment_done": equipment_requests.equipment_done,
    "lockouts": equipment_requests.lockouts,
    "lock_out": equipment_requests.lock_out,
    "unlock": equipment_requests.unlock,
    "retry": _retry,
    "fire": _fire,
    "reset_fire": _reset_fire,
    "reload": _reload,
}
# They change nothing, or see to it themselves that nobody changes anything meanwhile.
LOOKS = frozenset(
    {
        _status,
        _health,
        _fire,
        _points,
        _explain,
        _inspect,
        alarm_requests.alarms,
        equipment_requests.equipment,
        commissioning_requests.silence_progress,
        _reload,
    }
)
