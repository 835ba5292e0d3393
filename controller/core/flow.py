"""What goes over a building's network because of us, as its IT asks for it: who begins, where to, how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from controller.core.point import Binding
from controller.core.text import NO_TEXT, Text

SECONDS_A_DAY = 86_400.0
# IPv4 and TCP with its time stamp (RFC 9293, RFC 7323); IPv4 and UDP. Without what the cable adds.
TCP_HEADERS = 52
UDP_HEADERS = 28
# Question, answer, and the acknowledgement that travels alone.
PACKETS_OF_A_REQUEST = 3


class Transport(StrEnum):
    TCP = "tcp"
    UDP = "udp"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class Flow:
    """peer: a host, an address or a serial line; where it is found out only at run time, words that say so.

    port: the peer's; where `is_inbound`, ours, because the peer begins. None where there is none, or it is not ours to
    say. encrypted: None where that is not ours to say. bytes_per_day: of both directions together, headers included,
    estimated; None where the peer alone decides.
    """

    transport: Transport
    peer: str
    port: int | None
    encrypted: bool | None = False
    bytes_per_day: float | None = None
    is_inbound: bool = False
    note: Text = NO_TEXT


class Polled(NamedTuple):
    """What is read together, every so many seconds."""

    bindings: Sequence[Binding[Any]]
    every: float

    @property
    def times_a_day(self) -> float:
        return SECONDS_A_DAY / self.every


FlowsOf: TypeAlias = Callable[[Any, Sequence[Polled]], Sequence[Flow]]
"""Of a link, from its connection and what is polled on it."""
