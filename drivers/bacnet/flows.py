"""What a link takes of the network: one socket of ours, each device's, and broadcasts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from controller.core.flow import UDP_HEADERS, Flow, Polled, Transport
from controller.core.point import Binding
from controller.core.text import Text
from drivers.bacnet.address import PORT, BacnetAddress, BacnetConnection
from drivers.bacnet.plan import blocks, wanted

# What an answer over IP carries (ANSI/ASHRAE 135-2020, annex J), and about what a reference takes in a question and
# with its value in an answer. What a message begins with: BVLC, NPCI and APDU header.
_LONGEST = 1476
_BEGINNING = 4 + 2 + 4
_ASKED, _ANSWERED = 9, 17

_BROADCASTS = Text("broadcasts in the subnet: who is there", "子网广播：查询设备")
_TOLD = Text("answers to broadcasts, told changes", "广播应答、变化通知")
_ROUTED = Text("networks behind it", "其后的网络")


def flows(connection: BacnetConnection, polled: Sequence[Polled]) -> tuple[Flow, ...]:
    a_day: dict[tuple[str, int], float] = {}
    for each in polled:
        for peer, group in groupby(sorted(each.bindings, key=_peer), key=_peer):
            a_day[peer] = a_day.get(peer, 0.0) + each.times_a_day * _round([*group])
    devices = [Flow(Transport.UDP, host, port, bytes_per_day=bytes) for (host, port), bytes in a_day.items()]
    broadcast = str(connection.local.network.broadcast_address)
    ours = connection.port or None
    return (
        *devices,
        Flow(Transport.UDP, broadcast, PORT, note=_BROADCASTS),
        Flow(Transport.UDP, str(connection.local.network), ours, is_inbound=True, note=_TOLD),
        *_bbmd(connection),
    )


def _peer(binding: Binding[BacnetAddress]) -> tuple[str, int]:
    station = binding.address.station
    if station is None:
        return f"device {binding.address.instance}", PORT
    if not station.host:
        return f"router to network {station.network}", PORT
    return station.host, station.port


def _round(bindings: Sequence[Binding[BacnetAddress]]) -> float:
    """Bytes that reading all of it once takes."""
    around = 2 * (UDP_HEADERS + _BEGINNING)
    return sum(around + len(block) * (_ASKED + _ANSWERED) for block in blocks(wanted(bindings), _LONGEST))


def _bbmd(connection: BacnetConnection) -> tuple[Flow, ...]:
    station = connection.bbmd_station
    return () if station is None else (Flow(Transport.UDP, station.host, station.port, note=_ROUTED),)
