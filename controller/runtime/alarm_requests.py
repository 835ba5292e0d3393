"""What people ask about alarms, work orders and the siren."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.core.event import JsonValue
from controller.runtime import alarm_status
from controller.runtime.daemon import Daemon
from controller.runtime.request_fields import RequestRefused, lasting_of, who_of, why_of, words_of


async def alarms(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return alarm_status.alarms(daemon, everything=request.get("everything") is True)


async def acknowledge(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    alarm = str(request.get("alarm"))
    if alarm == "all":
        return [
            alarm_status.alarm(daemon, each) for each in await daemon.alarm_actions.acknowledge_all(who_of(request))
        ]
    return [alarm_status.alarm(daemon, await daemon.alarm_actions.acknowledge(alarm, who_of(request)))]


async def shelve(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    alarm, lasting = str(request.get("alarm")), lasting_of(request)
    return [
        alarm_status.alarm(daemon, await daemon.alarm_actions.shelve(alarm, lasting, who_of(request), why_of(request)))
    ]


async def unshelve(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return [alarm_status.alarm(daemon, await daemon.alarm_actions.unshelve(str(request.get("alarm")), who_of(request)))]


async def out_of_service(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    alarm = await daemon.alarm_actions.take_out_of_service(str(request.get("alarm")), who_of(request), why_of(request))
    return [alarm_status.alarm(daemon, alarm)]


async def into_service(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    return [
        alarm_status.alarm(
            daemon, await daemon.alarm_actions.put_into_service(str(request.get("alarm")), who_of(request))
        )
    ]


async def order(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    order = await daemon.work_orders.place(str(request.get("alarm")), who_of(request), words_of(request, "text"))
    return alarm_status.work_order(order)


async def close_order(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    done, even_so = words_of(request, "text"), words_of(request, "even_so")
    return alarm_status.work_order(
        await daemon.work_orders.close(str(request.get("alarm")), who_of(request), done, even_so)
    )


async def silence_siren(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    if daemon.siren is None:
        raise RequestRefused("this site has no siren; see 'siren' in docs/alarms.md")
    silenced = [daemon.alarms.get(each) for each in daemon.siren.silence(who_of(request))]
    if not silenced:
        raise RequestRefused(f"{daemon.siren.siren.point} is silent already")
    return [alarm_status.alarm(daemon, each) for each in silenced if each is not None]
