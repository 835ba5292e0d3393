"""tidewatt ports SITE: what goes over the network because of a site, for the building's IT and its firewalls."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from controller.cli.arguments import Exit, add_command, add_json, add_site, language
from controller.cli.output import print_json
from controller.cli.site_folder import load_site
from controller.core.flow import SECONDS_A_DAY, Flow, Polled, Transport
from controller.core.site import Device, Link, Site
from controller.core.text import Language, Text

_COLUMNS = (
    Text("for", "用途"),
    Text("begun by", "发起方"),
    Text("protocol", "协议"),
    Text("peer", "对端"),
    Text("port", "端口"),
    Text("encrypted", "加密"),
    Text("a day, about", "每天约"),
    Text("note", "备注"),
)
_US, _THEM = Text("us", "本控"), Text("the peer", "对端")
_YES, _NO, _DEPENDS = Text("yes", "是"), Text("no", "否"), Text("as the address says", "取决于地址")
_LAMP_TIMES = Text("lamp times", "灯具时刻")
_ONCE_A_DAY = Text("once a day, pictures as large as the list", "每天一次，图片大小取决于清单")
_LINK, _HISTORY, _ALARMS = Text("link {}", "连接 {}"), Text("copy of history", "历史副本"), Text("alarms {}", "报警 {}")
_ONE_A_MINUTE = Text("one record a point a minute; changes come on top", "按每点每分钟一条估算，变化另计")
_SERVICE = Text("the messenger's own servers", "消息服务商的服务器")
_UNKNOWN = Text("this driver does not tell", "该驱动未说明")
_OURS = Text("our port", "本控端口")
_NOTHING_ELSE = Text(
    "Nothing else is opened. Not ours, but needed on the box: DNS where a peer is a name, and NTP (udp 123).",
    "除此之外不开放任何端口。主机自身另需：对端为域名时的 DNS，以及 NTP（udp 123）。",
)
# Of a record of history on its way to InfluxDB, compressed.
_RECORD = 60
_WIDTH = 150


class Use(NamedTuple):
    """purpose: what of the site causes the flow."""

    purpose: Text
    flow: Flow


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "ports",
        "what goes over the network because of a site: peers, ports, encryption, bytes a day; for the building's IT",
        "tidewatt ports config/sites/demo",
    )
    add_site(parser)
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    uses = list(uses_of(load_site(arguments.site)))
    if arguments.json:
        print_json([_as_data(each) for each in uses])
    else:
        _print(uses, language())
    return Exit.OK


def uses_of(site: Site) -> Iterator[Use]:
    for link in site.links:
        if not link.driver.is_virtual:
            purpose = Text(_LINK.en.format(link.id), _LINK.zh.format(link.id))
            yield from (Use(purpose, flow) for flow in flows_of(link))
    if site.influx is not None:
        parts = urlsplit(site.influx.url)
        is_encrypted = parts.scheme == "https"
        port = parts.port or (443 if is_encrypted else 80)
        a_day = len(site.points) * SECONDS_A_DAY / 60.0 * _RECORD
        yield Use(_HISTORY, Flow(Transport.TCP, parts.hostname or "", port, is_encrypted, a_day, note=_ONE_A_MINUTE))
    if (lamps := site.lamp_messages) is not None:
        # Two robots may live on one host; what else their addresses hold is secret.
        yield from dict.fromkeys(Use(_LAMP_TIMES, _robot_flow(each)) for each in (lamps.to, lamps.escalate_to) if each)
    for route in site.alarms.routes:
        purpose = Text(_ALARMS.en.format(route.id), _ALARMS.zh.format(route.id))
        # An address holds secrets; what stands before its :// is the name of the service.
        for service in dict.fromkeys(rung.address.partition("://")[0] for rung in route.ladder):
            yield Use(purpose, Flow(Transport.TCP, service, None, None, note=_SERVICE))


def _robot_flow(address: str) -> Flow:
    parts = urlsplit(address)
    is_encrypted = parts.scheme == "https"
    port = parts.port or (443 if is_encrypted else 80)
    return Flow(Transport.TCP, parts.hostname or "", port, is_encrypted, note=_ONCE_A_DAY)


def flows_of(link: Link) -> tuple[Flow, ...]:
    if link.driver.flows is None:
        return (Flow(Transport.TCP, "?", None, None, note=_UNKNOWN),)
    return tuple(
        link.driver.flows(link.connection, [each for device in link.devices for each in _polled(link, device)])
    )


def _polled(link: Link, device: Device) -> Iterator[Polled]:
    """Urgent points twice, where they are polled faster than the rest."""
    bindings = [each for each in link.bindings if each.point.id in set(device.points)]
    yield Polled(bindings, device.poll_every.total_seconds())
    if device.urgent_every is not None and device.urgent:
        urgent = [each for each in bindings if each.point.id in device.urgent]
        yield Polled(urgent, device.urgent_every.total_seconds())


# --- telling ----------------------------------------------------------------------------------------------------------


def _as_data(use: Use) -> dict[str, Any]:
    flow = use.flow
    return {
        "purpose": use.purpose.en,
        "transport": flow.transport.value,
        "is_inbound": flow.is_inbound,
        "peer": flow.peer,
        "port": flow.port,
        "encrypted": flow.encrypted,
        "bytes_per_day": None if flow.bytes_per_day is None else round(flow.bytes_per_day),
        "note": {"en": flow.note.en, "zh": flow.note.zh},
    }


def _print(uses: list[Use], chosen: Language) -> None:
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console.width = _WIDTH
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in _COLUMNS:
        table.add_column(column.in_language(chosen), overflow="fold")
    for each in uses:
        table.add_row(*(cell.replace("[", r"\[") for cell in _cells(each, chosen)))
    console.print(table)
    console.print(_NOTHING_ELSE.in_language(chosen))


def _cells(use: Use, chosen: Language) -> tuple[str, ...]:
    flow = use.flow
    encrypted = _DEPENDS if flow.encrypted is None else _YES if flow.encrypted else _NO
    port = "" if flow.port is None else str(flow.port)
    return (
        use.purpose.in_language(chosen),
        (_THEM if flow.is_inbound else _US).in_language(chosen),
        flow.transport.value,
        flow.peer,
        f"{port} ({_OURS.in_language(chosen)})" if flow.is_inbound and port else port,
        encrypted.in_language(chosen),
        "" if flow.bytes_per_day is None else amount(flow.bytes_per_day),
        flow.note.in_language(chosen),
    )


def amount(bytes_per_day: float) -> str:
    """70 MB, 1.2 GB: decimal, as networks count."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if bytes_per_day >= size:
            return f"{bytes_per_day / size:.3g} {unit}"
    return f"{bytes_per_day:.0f} B"
