"""How commands reach a running daemon: JSON lines over state/control.sock, mode 0600, versioned.

Request: {"tidewatt": 1, "command": "explain", ...}; answer: {"ok": true, "answer": ...} or {"ok": false, "error": ...}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeGuard, cast

from controller.core.commissioning import AmbiguousItem, Result, item_called
from controller.core.errors import ConfigError, EnvironmentProblem
from controller.core.event import JsonValue
from controller.core.point import PointId
from controller.core.system import Authority
from controller.runtime import equipment_rows, status
from controller.runtime.alarm_actions import AlarmActionRefused
from controller.runtime.authorities import AuthorityRefused
from controller.runtime.availability import AvailabilityRefused
from controller.runtime.commissioning import body_of
from controller.runtime.daemon import Daemon
from controller.runtime.equipment_log import MaintenanceRefused
from controller.runtime.fire import FireResetRefused
from controller.runtime.health import health
from controller.runtime.inspector import InspectionRefused
from controller.runtime.operator import OperatorCommandRefused
from controller.runtime.reload import ReloadRefused, told
from controller.runtime.silence import SilenceRefused
from controller.runtime.work_orders import WorkOrderRefused

VERSION = 1
# A request is small; what is longer is not for us.
LONGEST_LINE = 64 * 1024
# What a person writes of a test.
LONGEST_WORDS = 1000
LONGEST_NAME = 80
# Who wants a point for longer changes the configuration.
LONGEST_COMMAND_S = 366 * 86400.0


class RequestRefused(Exception):
    """The request cannot be met; its words go to whoever asked."""


# Their words go to whoever asked.
_REFUSALS = (
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


@contextlib.contextmanager
def listening(path: Path) -> Generator[socket.socket]:
    """A socket that only this user may open; its file goes with us. Hold the site's lock before."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            path.chmod(0o600)
            listener.setblocking(False)
            listener.listen()  # who asks while we start waits for the answer
        except OSError as error:
            raise EnvironmentProblem(f"{path}: the control socket cannot be opened: {error}") from error
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


async def serve(daemon: Daemon, listener: socket.socket) -> None:
    """Answer requests until cancelled; nobody who is still connected holds us up."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while line := await _next_line(reader):
                writer.write(json.dumps(await _answer(daemon, line)).encode() + b"\n")
                await writer.drain()

    conversations = asyncio.TaskGroup()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.create_task(converse(reader, writer), name="control")

    server = await asyncio.start_unix_server(begin, sock=listener, limit=LONGEST_LINE, start_serving=False)
    async with server, conversations:
        await server.start_serving()
        await asyncio.Event().wait()


async def _next_line(reader: asyncio.StreamReader) -> bytes:
    """The next request; empty at the end of the conversation or where a line is too long to be one."""
    try:
        return await reader.readline()
    except ValueError:
        return b""


async def _answer(daemon: Daemon, line: bytes) -> dict[str, JsonValue]:
    try:
        request: Any = json.loads(line)
    except (ValueError, RecursionError):
        return _error("this is no JSON")
    if not _is_text(request):
        return _error("this is no text: a name or reason was typed in another encoding than UTF-8")
    if not _is_request(request):
        return _error(f'a request is {{"tidewatt": {VERSION}, "command": ...}}')
    handler = _HANDLERS.get(str(request.get("command")))
    if handler is None:
        return _error(f"there is no command {request.get('command')!r}; there are {', '.join(_HANDLERS)}")
    try:
        if handler in _LOOKS:
            return {"ok": True, "answer": await handler(daemon, request)}
        async with daemon.gate.passing():
            return {"ok": True, "answer": await handler(daemon, request)}
    except _REFUSALS as error:
        return _error(str(error))


def _is_text(request: Any) -> bool:
    """Whether everything in it can be stored and shown: a terminal in another encoding sends half characters."""
    try:
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_request(request: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(request, dict) and cast("dict[str, Any]", request).get("tidewatt") == VERSION


def _error(words: str) -> dict[str, JsonValue]:
    return {"ok": False, "error": words}


async def _status(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return status.status(daemon)


async def _health(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return await health(daemon)


async def _points(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return status.points(daemon)


async def _explain(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return status.explain(daemon, _point(daemon, request))


async def _inspect(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    point = _point(daemon, request)
    return status.inspected(daemon, point, await daemon.inspector.inspect(point))


async def _write(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    value = request.get("value")
    if not isinstance(value, (bool, int, float, str)):
        raise RequestRefused("a command needs a value")
    lasting, point = _lasting(request), _point(daemon, request)
    await daemon.command(point, value, lasting, _who(request), str(request.get("reason", "")))
    return status.explain(daemon, point)


async def _relinquish(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return {"there_was_a_command": await daemon.relinquish(_point(daemon, request), _who(request))}


async def _authority(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    system, authority = _system(daemon, request), str(request.get("authority"))
    if authority not in set(Authority):
        raise RequestRefused(f"authority is {' or '.join(Authority)}, not {authority!r}")
    lasting = None if request.get("for_s") is None else _lasting(request)
    await daemon.set_authority(system, Authority(authority), _who(request), lasting)
    return {id_: each.value for id_, each in daemon.authority.items()}


async def _resume_ab_days(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    await daemon.resume_ab_days(_system(daemon, request), _who(request))
    return {id_: each.value for id_, each in daemon.authority.items()}


async def _reset_latch(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return {"was_latched": await daemon.reset_latch(_who(request))}


async def _record(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    result = str(request.get("result"))
    if result not in set(Result):
        raise RequestRefused(f"a test has {' or '.join(Result)}, not {result!r}")
    try:
        item = item_called(str(request.get("item")), daemon.commissioning.standings())
    except (AmbiguousItem, ConfigError) as error:
        raise RequestRefused(str(error)) from error
    words = (str(request.get(name, ""))[:LONGEST_WORDS] for name in ("measured", "note"))
    return body_of(await daemon.record_test(item, Result(result), _who(request), *words))


async def _silence(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    item, value = daemon.commissioning.items.get(str(request.get("item"))), request.get("value")
    if item is None:
        raise RequestRefused(f"there is no test {request.get('item')!r} in this site")
    if value is not None and not isinstance(value, (bool, int, float, str)):
        raise RequestRefused("a value is a number, a text, true or false")
    return status.measurement(daemon.silence.begin(item, _who(request), value))


async def _silence_progress(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return status.measurement(daemon.silence.measurement)


async def _silence_stop(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    daemon.silence.stop()
    return status.measurement(daemon.silence.measurement)


async def _alarms(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return status.alarms(daemon, everything=request.get("everything") is True)


async def _acknowledge(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    alarm = str(request.get("alarm"))
    if alarm == "all":
        return [status.alarm(daemon, each) for each in await daemon.alarm_actions.acknowledge_all(_who(request))]
    return [status.alarm(daemon, await daemon.alarm_actions.acknowledge(alarm, _who(request)))]


async def _shelve(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    alarm, lasting = str(request.get("alarm")), _lasting(request)
    return [status.alarm(daemon, await daemon.alarm_actions.shelve(alarm, lasting, _who(request), _why(request)))]


async def _unshelve(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return [status.alarm(daemon, await daemon.alarm_actions.unshelve(str(request.get("alarm")), _who(request)))]


async def _out_of_service(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    alarm = await daemon.alarm_actions.take_out_of_service(str(request.get("alarm")), _who(request), _why(request))
    return [status.alarm(daemon, alarm)]


async def _into_service(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return [status.alarm(daemon, await daemon.alarm_actions.put_into_service(str(request.get("alarm")), _who(request)))]


async def _order(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    order = await daemon.work_orders.place(str(request.get("alarm")), _who(request), _words(request, "text"))
    return status.work_order(order)


async def _close_order(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    done, even_so = _words(request, "text"), _words(request, "even_so")
    return status.work_order(await daemon.work_orders.close(str(request.get("alarm")), _who(request), done, even_so))


async def _silence_siren(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    if daemon.siren is None:
        raise RequestRefused("this site has no siren; see 'siren' in docs/alarms.md")
    silenced = [daemon.alarms.get(each) for each in daemon.siren.silence(_who(request))]
    if not silenced:
        raise RequestRefused(f"{daemon.siren.siren.point} is silent already")
    return [status.alarm(daemon, each) for each in silenced if each is not None]


async def _equipment(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    if request.get("equipment") is None:
        return equipment_rows.rows(daemon)
    only = str(request.get("equipment"))
    if only not in daemon.equipment_log.all:
        raise RequestRefused(f"there is no {only!r} in the log; there are {', '.join(daemon.equipment_log.all)}")
    return equipment_rows.rows(daemon, only)


async def _equipment_done(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    equipment, what = str(request.get("equipment")), str(request.get("what") or "")
    each = await daemon.equipment_log.note_done(equipment, what, _who(request))
    return equipment_rows.rows(daemon, each.id)


async def _fire(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return status.fire(daemon)


async def _reset_fire(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    point = request.get("point")
    reset = await daemon.fire.reset(None if point is None else PointId(str(point)), _who(request))
    return {"reset": [str(each) for each in reset], "fire": status.fire(daemon)}


async def _lockouts(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return status.lockouts(daemon)


async def _lock_out(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return status.lockout(await daemon.lock_out(str(request.get("equipment")), _named(request), _why(request)))


async def _unlock(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    equipment, whose = str(request.get("equipment")), str(request.get("of") or "")[:LONGEST_NAME]
    return status.lockout(await daemon.unlock(equipment, _named(request), whose, _why(request)))


async def _retry(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    name = str(request.get("name"))
    try:
        daemon.retry(name, _who(request))
    except KeyError:
        known = [each.mount.id for each in daemon.strategies] + [each.link.id for each in daemon.links]
        there_are = f"there are {', '.join(known)}"
        what = "strategy, link or equipment"
        raise RequestRefused(f"there is no {what} {name!r} in this site; {there_are}") from None
    return {"retried": name}


async def _reload(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    outcome = await daemon.reloads.request(_who(request), is_dry_run=request.get("dry_run") is True)
    return {"result": outcome.result.value, **told(outcome)}


def _lasting(request: Mapping[str, Any]) -> timedelta:
    lasting = request.get("for_s")
    if not isinstance(lasting, (int, float)) or isinstance(lasting, bool):
        raise RequestRefused("a command needs an end: for_s, in seconds")
    if not abs(lasting) <= LONGEST_COMMAND_S:
        raise RequestRefused(f"a command lasts at most {LONGEST_COMMAND_S / 86400:g} days")
    return timedelta(seconds=lasting)


def _system(daemon: Daemon, request: Mapping[str, Any]) -> str:
    system = str(request.get("system"))
    if system not in daemon.authority:
        raise RequestRefused(f"there is no system {system!r}; there are {', '.join(daemon.authority)}")
    return system


def _point(daemon: Daemon, request: Mapping[str, Any]) -> PointId:
    point = PointId(str(request.get("point")))
    if point not in daemon.site.points:
        raise RequestRefused(f"there is no point {point!r} in this site")
    return point


def _why(request: Mapping[str, Any]) -> str:
    return _words(request, "reason")


def _words(request: Mapping[str, Any], key: str) -> str:
    return str(request.get(key) or "")[:LONGEST_WORDS]


def _who(request: Mapping[str, Any]) -> str:
    return str(request.get("who") or "unknown")[:LONGEST_NAME]


def _named(request: Mapping[str, Any]) -> str:
    """A lock is somebody's: nobody's name is filled in."""
    return str(request.get("who") or "")[:LONGEST_NAME]


_HANDLERS: Mapping[str, Handler] = {
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
    "record": _record,
    "silence": _silence,
    "silence_progress": _silence_progress,
    "silence_stop": _silence_stop,
    "alarms": _alarms,
    "acknowledge": _acknowledge,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "out_of_service": _out_of_service,
    "into_service": _into_service,
    "silence_siren": _silence_siren,
    "order": _order,
    "close_order": _close_order,
    "equipment": _equipment,
    "equipment_done": _equipment_done,
    "lockouts": _lockouts,
    "lock_out": _lock_out,
    "unlock": _unlock,
    "retry": _retry,
    "fire": _fire,
    "reset_fire": _reset_fire,
    "reload": _reload,
}
# They change nothing, or see to it themselves that nobody changes anything meanwhile.
_LOOKS = frozenset(
    {_status, _health, _fire, _points, _explain, _inspect, _alarms, _equipment, _silence_progress, _reload}
)
