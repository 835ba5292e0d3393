"""A broker of a few dozen lines, to refuse, to fall silent and to talk nonsense where a real one would not.

It knows one client at a time, quality of service 0 and 1, and both protocol versions. Written after the standards
(MQTT 5.0 and 3.1.1), section 2 and 3; the real broker of the other tests is Mosquitto.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tests.loopback import LoopbackServer

Reply = Callable[[bytes], None]

NOT_AUTHORISED: Final = 135
_SUBSCRIPTION_IDENTIFIER: Final = 0x0B
_IDENTIFIERS_NOT_SUPPORTED: Final = 161


class Published(NamedTuple):
    topic: str
    payload: bytes
    qos: int
    retain: bool


class LittleBroker(LoopbackServer):
    """connack, suback, puback: the codes with which it answers, by topic, 0 elsewhere; without a connack it is silent.

    resumes: it says that it has kept a session. takes_identifiers: else it ends a connection on which a subscription
    carries one, as 3.2.2.3.12 has it; identified: whether one did.
    newest: the newest protocol that it knows, 4 for MQTT 3.1.1. published: what came. greeted, listened: set once
    somebody has said hello, has subscribed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.connack: int | None = 0
        self.newest = 5
        self.resumes = False
        self.takes_identifiers = True
        self.identified = False
        self.suback: dict[str, int] = {}
        self.puback: dict[str, int] = {}
        self.subscribed: list[str] = []
        self.greeted = asyncio.Event()
        self.listened = asyncio.Event()
        self.published: list[Published] = []
        self.on_publish: Callable[[str, bytes], None] = lambda topic, payload: None
        self._version = 5
        self._reply: Reply | None = None

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """A message to whoever is connected."""
        if self._reply is not None and topic in self.subscribed:
            properties = b"\0" if self._version == 5 else b""
            self._reply(_packet(0x30 | retain, _text(topic) + properties + payload))

    def say(self, data: bytes) -> None:
        """Anything at all."""
        assert self._reply is not None
        self._reply(data)

    def receive(self, buffer: bytearray, reply: Reply) -> None:
        for kind, flags, body in _packets(buffer):
            self._reply = reply
            match kind:
                case 1:  # CONNECT
                    self._greet(body[6], reply)
                case 3:  # PUBLISH
                    self._take(flags, body, reply)
                case 8:  # SUBSCRIBE
                    self._subscribe(body, reply)
                case 12:  # PINGREQ
                    reply(_packet(0xD0, b""))
                case _:
                    pass

    def _greet(self, version: int, reply: Reply) -> None:
        self._version = version
        self.greeted.set()
        code = self.connack
        if version > self.newest:
            reply(_packet(0x20, b"\x00\x01"))  # as brokers do that know no newer form of an answer
        elif code is not None:
            properties = b"" if version != 5 else b"\0" if self.takes_identifiers else b"\2\x29\0"
            reply(_packet(0x20, bytes((self.resumes, code)) + properties))

    def _subscribe(self, body: bytes, reply: Reply) -> None:
        position = self._after_properties(body, 2)
        self.identified = self._version == 5 and body[3] == _SUBSCRIPTION_IDENTIFIER and body[2] > 0
        if self.identified and not self.takes_identifiers:
            reply(_packet(0xE0, bytes((_IDENTIFIERS_NOT_SUPPORTED,))))
            return
        codes = bytearray()
        while position < len(body):
            topic, position = _read_text(body, position)
            code = self.suback.get(topic, body[position] & 3)
            position += 1
            codes.append(code)
            if code < 128 and topic not in self.subscribed:
                self.subscribed.append(topic)
        self.listened.set()
        reply(_packet(0x90, body[:2] + (b"\0" if self._version == 5 else b"") + codes))

    def _take(self, flags: int, body: bytes, reply: Reply) -> None:
        topic, position = _read_text(body, 0)
        qos = flags >> 1 & 3
        identifier = body[position : position + 2] if qos else b""
        payload = body[self._after_properties(body, position + len(identifier)) :]
        code = self.puback.get(topic, 0)
        if code < 128:
            self.published.append(Published(topic, payload, qos, bool(flags & 1)))
            self.on_publish(topic, payload)
        if qos:
            reply(_packet(0x40, identifier + (bytes((code, 0)) if self._version == 5 else b"")))

    def _after_properties(self, body: bytes, position: int) -> int:
        if self._version != 5:
            return position
        length, start = _read_length(body, position)
        return start + length


def _packets(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Kind, flags and body of every whole packet, cut from the buffer."""
    while len(buffer) >= 2:
        try:
            length, start = _read_length(buffer, 1)
        except IndexError:
            return
        if len(buffer) < start + length:
            return
        packet = bytes(buffer[: start + length])
        del buffer[: start + length]
        yield packet[0] >> 4, packet[0] & 15, packet[start:]


def _read_length(data: bytes | bytearray, position: int) -> tuple[int, int]:
    """A variable byte integer (1.5.5) and where it ends."""
    value, shift = 0, 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position


def _read_text(data: bytes, position: int) -> tuple[str, int]:
    start = position + 2
    end = start + int.from_bytes(data[position:start], "big")
    return data[start:end].decode(), end


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(first: int, body: bytes) -> bytes:
    length = bytearray()
    rest = len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (128 if rest else 0))
        if not rest:
            return bytes((first, *length)) + body
