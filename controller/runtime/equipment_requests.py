"""What people ask about equipment: its log, its maintenance, who has locked it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.core.event import JsonValue
from controller.runtime import availability_status, equipment_rows
from controller.runtime.daemon import Daemon
from controller.runtime.request_fields import LONGEST_NAME, RequestRefused, named_by, who_of, why_of


async def equipment(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    if request.get("equipment") is None:
        return equipment_rows.rows(daemon)
    only = str(request.get("equipment"))
    if only not in daemon.equipment_log.all:
        raise RequestRefused(f"there is no {only!r} in the log; there are {', '.join(daemon.equipment_log.all)}")
    return equipment_rows.rows(daemon, only)


async def equipment_done(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    equipment, what = str(request.get("equipment")), str(request.get("what") or "")
    each = await daemon.equipment_log.note_done(equipment, what, who_of(request))
    return equipment_rows.rows(daemon, each.id)


async def lockouts(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return availability_status.lockouts(daemon)


async def lock_out(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return availability_status.lockout(
        await daemon.lock_out(str(request.get("equipment")), named_by(request), why_of(request))
    )


async def unlock(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    equipment, whose = str(request.get("equipment")), str(request.get("of") or "")[:LONGEST_NAME]
    return availability_status.lockout(await daemon.unlock(equipment, named_by(request), whose, why_of(request)))
