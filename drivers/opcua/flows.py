"""What a link takes of the network: one session, told changes and polling beside them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from controller.core.flow import PACKETS_OF_A_REQUEST, TCP_HEADERS, Flow, Polled, Transport
from drivers.opcua.address import OpcuaConnection

# About what a secured message has around its content, and what a node takes in a Read and with its value, status and
# two times in the answer (OPC 10000-6, 5.2 and 6.7).
_AROUND = 2 * 110 + PACKETS_OF_A_REQUEST * TCP_HEADERS
_NODE = 25 + 35


def flows(connection: OpcuaConnection, polled: Sequence[Polled]) -> tuple[Flow, ...]:
    """As if every value changed between two polls; most tell less."""
    a_day = sum(each.times_a_day * (_AROUND + len(each.bindings) * _NODE) for each in polled)
    parts = urlsplit(connection.url)
    is_encrypted = connection.channel == "sign_and_encrypt"
    return (Flow(Transport.TCP, parts.hostname or "", parts.port, is_encrypted, a_day),)
