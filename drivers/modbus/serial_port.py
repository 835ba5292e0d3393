"""A tty as an asyncio transport: what pymodbus would need pyserial for."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import termios
from typing import Final, Protocol

from drivers.modbus.connection import SerialLine

_LARGEST_READ: Final = 4096
_PARITY_FLAGS: Final = {"none": 0, "even": termios.PARENB, "odd": termios.PARENB | termios.PARODD}


class Listener(Protocol):
    """What is told of the line: an asyncio.Protocol, or what looks like one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...

    def data_received(self, data: bytes) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...


class SerialPort(asyncio.Transport):
    """Opens the tty for itself alone. Raises OSError.

    Frames are at most 256 bytes: what the tty's buffer does not take at once is a line that stands still, and lost.
    """

    def __init__(self, line: SerialLine, listener: Listener) -> None:
        super().__init__()
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._tty = _open(line)
        self._loop.add_reader(self._tty, self._read)
        listener.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_closing():
            return
        try:
            taken = os.write(self._tty, data)
        except OSError as error:
            self._lose(error)
            return
        if taken < len(data):
            self._lose(OSError(f"the line took {taken} of {len(data)} bytes"))

    def is_closing(self) -> bool:
        return self._tty < 0

    def close(self) -> None:
        if self.is_closing():
            return
        self._loop.remove_reader(self._tty)
        tty, self._tty = self._tty, -1
        os.close(tty)

    def _read(self) -> None:
        try:
            data = os.read(self._tty, _LARGEST_READ)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error)
            return
        if data:
            self._listener.data_received(data)
        else:
            self._lose(OSError("the line was hung up"))

    def _lose(self, error: OSError) -> None:
        self.close()
        self._loop.call_soon(self._listener.connection_lost, error)


def _open(line: SerialLine) -> int:
    tty = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _claim(tty)
        termios.tcsetattr(tty, termios.TCSANOW, _attributes(line, termios.tcgetattr(tty)))
        termios.tcflush(tty, termios.TCIOFLUSH)
    except termios.error as error:
        os.close(tty)
        raise OSError(*error.args) from error
    except OSError:
        os.close(tty)
        raise
    return tty


def _claim(tty: int) -> None:
    try:
        fcntl.flock(tty, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(errno.EBUSY, "another program has the line") from error


_Attributes = list[int | list[bytes | int]]


def _attributes(line: SerialLine, present: _Attributes) -> _Attributes:
    """Bytes as they are: no echo, no signals, no translation. A character with a wrong parity arrives as a zero."""
    speed = getattr(termios, f"B{line.baud_rate}")
    stop = termios.CSTOPB if line.stop_bits == 2 else 0
    control = termios.CS8 | termios.CREAD | termios.CLOCAL | _PARITY_FLAGS[line.parity] | stop
    checked = 0 if line.parity == "none" else termios.INPCK
    characters = present[6]
    assert isinstance(characters, list)
    characters = [*characters]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    return [checked, 0, control, 0, speed, speed, characters]
