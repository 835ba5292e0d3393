"""The simulated site on a serial line: Modbus RTU at one end of a pseudo terminal, as slow as its baud rate.

Source: MODBUS over Serial Line V1.02, sections 2.5 and 6.2; MODBUS Application Protocol Specification V1.1b3, section
6.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Sequence
from pathlib import Path

from simulator.servers.link import SerialLink
from simulator.servers.modbus_unit import BIT_TABLES, ILLEGAL_ADDRESS, ILLEGAL_VALUE, TABLES, Unit, units_of
from simulator.servers.served_site import LOOKED_AT_S, ServedSite

_BROADCAST = 0
_ILLEGAL_FUNCTION, _DEVICE_FAILURE = 1, 4
_REFUSED = 0x80
_READS, _WRITES_ONE, _WRITES_MANY = (1, 2, 3, 4), (5, 6), (15, 16)
_SHORT_FRAME = 8
_MOST_BITS, _MOST_REGISTERS = 2000, 125
# A frame that is not whole after this long is none: 1.5 characters of silence end one; operating systems add theirs.
_SILENCE_S = 0.05


def check_sum(data: bytes) -> bytes:
    """CRC-16 of a frame, in the order in which it is sent."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def answered(unit: Unit, question: bytes) -> bytes:
    """The answer to a question, both without unit and check sum."""
    function = question[0]
    if function not in (*_READS, *_WRITES_ONE, *_WRITES_MANY):
        return bytes([function | _REFUSED, _ILLEGAL_FUNCTION])
    if function in _READS:
        return _read(unit, function, _word(question, 1), _word(question, 3))
    refused = _write(unit, function, question)
    return bytes([function | _REFUSED, refused]) if refused else question[:5]


def _read(unit: Unit, function: int, first: int, count: int) -> bytes:
    table = TABLES[function]
    of_bits = table in BIT_TABLES
    if not 1 <= count <= (_MOST_BITS if of_bits else _MOST_REGISTERS):
        return bytes([function | _REFUSED, ILLEGAL_VALUE])
    if not unit.covers(table, first, count):
        return bytes([function | _REFUSED, ILLEGAL_ADDRESS])
    if unit.has_no_reading(function, first, count):
        return bytes([function | _REFUSED, _DEVICE_FAILURE])
    if of_bits:
        words = [0] * ((first % 16 + count + 15) // 16)
        unit.show_bits(table, first // 16, first, len(words), words)
        bits = sum(word << 16 * number for number, word in enumerate(words)) >> first % 16
        octets = (bits & (1 << count) - 1).to_bytes((count + 7) // 8, "little")
    else:
        registers = [0] * count
        unit.show_registers(table, first, first, count, registers)
        octets = b"".join(register.to_bytes(2, "big") for register in registers)
    return bytes([function, len(octets)]) + octets


def _write(unit: Unit, function: int, question: bytes) -> int:
    """An exception code, 0 for none."""
    table, first = TABLES[function], _word(question, 1)
    if function == 5 and _word(question, 3) not in (0, 0xFF00):
        return ILLEGAL_VALUE
    if function in _WRITES_ONE:
        raw = _word(question, 3)
        return unit.take(table, first, [raw != 0] if function == 5 else [raw])
    return unit.take(table, first, _values(function, _word(question, 3), question[6:]))


def _values(function: int, count: int, octets: bytes) -> Sequence[int | bool]:
    if function == 15:
        bits = int.from_bytes(octets, "little")
        return [bool(bits >> number & 1) for number in range(count)]
    return [_word(octets, 2 * number) for number in range(len(octets) // 2)]


def _word(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 2], "big")


def _size(buffer: bytes | bytearray) -> int:
    """Bytes of the frame that begins here; 0 where they cannot be told yet."""
    if len(buffer) < 2:
        return 0
    if buffer[1] not in _WRITES_MANY:
        return _SHORT_FRAME
    return 9 + buffer[6] if len(buffer) > 6 else 0


class ModbusLineServer:
    """The far end of a serial line with several units on it. A path leads to the near end while the line is there."""

    def __init__(self, site: ServedSite, link: SerialLink) -> None:
        """Raises NotServable where a binding names what the site does not have."""
        self._site = site
        self._units = units_of(site, link.bindings)
        self._path = Path(link.path)
        self._character_s = link.character_s
        self._buffer = bytearray()
        self._heard_at = -LOOKED_AT_S
        self._ends: tuple[int, int] | None = None

    async def open(self) -> int:
        """Lay the line. Raises OSError where something else is at its path."""
        if self._path.exists() and not self._path.is_symlink():
            raise OSError(f"cannot make a serial line at {self._path}: something else is there; name another path")
        far, near = os.openpty()
        tty.setraw(near)
        os.set_blocking(far, False)
        self._ends = (far, near)  # the near end stays open, so that the line is there while nobody listens
        try:
            self._path.unlink(missing_ok=True)
            self._path.symlink_to(os.ttyname(near))
        except OSError as error:
            await self.close()
            raise OSError(f"cannot make a serial line at {self._path}: {error.strerror}") from error
        asyncio.get_running_loop().add_reader(far, self._hear, far)
        return 0

    @property
    def is_in_use(self) -> bool:
        return self._ends is None or asyncio.get_running_loop().time() - self._heard_at < LOOKED_AT_S

    async def follow(self) -> None:
        """Whoever refuses connections is an adapter that was pulled out."""
        is_refused = any(unit.wire.is_refused for unit in self._units.values())
        if is_refused and self._ends is not None:
            await self.close()
        elif not is_refused and self._ends is None:
            await self.open()

    async def close(self) -> None:
        """Take the line away. Closing twice is fine."""
        if self._ends is None:
            return
        asyncio.get_running_loop().remove_reader(self._ends[0])
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends = None

    # --- frames -------------------------------------------------------------------------------------------------------

    def _hear(self, far: int) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._heard_at > _SILENCE_S:
            self._buffer.clear()
        self._heard_at = now
        self._buffer += os.read(far, 4096)
        while (size := _size(self._buffer)) and len(self._buffer) >= size:
            frame = bytes(self._buffer[:size])
            if check_sum(frame[:-2]) != frame[-2:]:
                self._buffer.clear()  # noise; whoever sent it will ask again
                return
            del self._buffer[:size]
            self._question(frame[0], frame[1:-2])

    def _question(self, number: int, question: bytes) -> None:
        for unit in self._units.values() if number == _BROADCAST else filter(None, [self._units.get(number)]):
            wire = unit.wire
            if not wire.is_silent:
                on_the_line = len(question) + 3
                pause = wire.delay + on_the_line * self._character_s
                asyncio.get_running_loop().call_later(pause, self._answer, number, unit, question)

    def _answer(self, number: int, unit: Unit, question: bytes) -> None:
        self._site.refresh()
        frame = bytes([number]) + answered(unit, question)
        if number != _BROADCAST:
            pause = (len(frame) + 2) * self._character_s
            asyncio.get_running_loop().call_later(pause, self._send, frame + check_sum(frame))

    def _send(self, frame: bytes) -> None:
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):  # nobody listens, and the line is full
                os.write(self._ends[0], frame)
