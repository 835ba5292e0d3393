"""The units of `modbus_device` on a serial line: RTU frames over TCP, or over a pseudo terminal."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path

from tests.wire.modbus_device import ModbusDevice

_SIZES = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 22: 10, 43: 7}


def crc(data: bytes) -> bytes:
    """MODBUS over Serial Line V1.02, 6.2.2, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def framed(unit: int, body: bytes) -> bytes:
    frame = bytes([unit]) + body
    return frame + crc(frame)


class RtuDevice(ModbusDevice):
    """RTU over TCP. Questions whose CRC is wrong are not heard, as the standard wants it."""

    def receive(self, buffer: bytearray, reply: Callable[[bytes], None]) -> None:
        while len(buffer) >= 7 and len(buffer) >= (size := _size(buffer)):
            frame = bytes(buffer[:size])
            del buffer[:size]
            body = self.answer_to(frame[0], frame[1:-2]) if crc(frame[:-2]) == frame[-2:] else None
            if body is not None:
                answer = framed(frame[0], body)
                reply(self.mangle(answer) if self.mangle else answer)


def _size(frame: bytes | bytearray) -> int:
    return _SIZES.get(frame[1]) or 9 + frame[6]


class LineDevice(RtuDevice):
    """The same on a line of its own. `path` leads to it, also after it was taken away and has come back.

    asked_at: when bytes arrived, in the loop's time.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.asked_at: list[float] = []
        self._line: _Line | None = None

    async def start(self) -> None:
        self._line = _Line(self)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(self._line.name)

    def say(self, noise: bytes) -> None:
        """What nobody asked for."""
        if self._line is not None:
            self._line.write(noise)

    async def stop(self) -> None:
        self.path.unlink(missing_ok=True)
        if self._line is not None:
            self._line.close()
            self._line = None


class _Line:
    """The device's end. It stays open while nobody has the other, as a cable does."""

    def __init__(self, device: LineDevice) -> None:
        self._device = device
        self._buffer = bytearray()
        self._near, far = os.openpty()
        tty.setraw(far)
        self.name = os.ttyname(far)
        self._far = far
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._near, self._read)

    def _read(self) -> None:
        self._device.asked_at.append(self._loop.time())
        self._buffer += os.read(self._near, 4096)
        self._device.receive(self._buffer, self._reply)

    def _reply(self, answer: bytes) -> None:
        if self._device.hung:
            self._device.late(lambda: self.write(answer))
        else:
            self.write(answer)

    def write(self, answer: bytes) -> None:
        if self._near >= 0:
            os.write(self._near, answer)

    def close(self) -> None:
        self._loop.remove_reader(self._near)
        os.close(self._near)
        os.close(self._far)
        self._near = -1
