"""What a link takes of the network: one connection for each request. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from controller.core.flow import Flow, Polled, Transport
from drivers.boptest.address import BoptestConnection

_PORTS = {"http": 80, "https": 443}


def flows(connection: BoptestConnection, polled: Sequence[Polled]) -> tuple[Flow, ...]:
    """How much a day is depends on how fast a day passes."""
    del polled
    parts = urlsplit(connection.url)
    port = parts.port or _PORTS[parts.scheme]
    return (Flow(Transport.TCP, parts.hostname or "", port, encrypted=parts.scheme == "https"),)
