"""The process of one server: python -m simulator.servers.server_process DESCRIPTOR KIND.

DESCRIPTOR is of a socket to the simulator; KIND, the class of the link, is made ready for before the link is known.

It ends with the simulator: nobody is served a plant that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys

from simulator.servers.frames import Frames, framed
from simulator.servers.link import ServedLink
from simulator.servers.of_link import server_of, spare_of
from simulator.servers.picture import Answer, Begin, Changes, Following, NotServing, Picture, Serving, Wish
from simulator.servers.served_site import NotServable

_CLOSE_WITHIN_S = 3.0
_MOST_AT_ONCE = 1 << 16


class _Simulator:
    """The far end of the socket: tells changes, and answers wishes one by one."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._frames = Frames()
        self._picture: Picture | None = None
        self._answer: Answer | None = None
        self._is_owed = False
        self._is_gone = False
        self._has_news = asyncio.Event()

    def begin(self) -> tuple[Picture, ServedLink]:
        """What is to be served; it is waited for. Raises ConnectionError where the simulator has ended."""
        while data := self._received():
            for message in self._frames.of(data):
                begin: Begin = message
                self._picture = Picture(begin, self._ask)
                return self._picture, begin.link
        raise _gone()

    def hear(self) -> None:
        """Take what is there, without waiting."""
        with contextlib.suppress(BlockingIOError):
            self._take(self._received(socket.MSG_DONTWAIT))

    async def news(self) -> bool:
        """Whether changes came since the last time, which are waited for; False once the simulator has ended."""
        while not self._is_owed and not self._is_gone:
            self._has_news.clear()
            await self._has_news.wait()
        self._is_owed = False
        return not self._is_gone

    def say(self, message: Serving | NotServing | Following) -> None:
        with contextlib.suppress(ConnectionError):  # it is noticed where it is listened to
            self._channel.sendall(framed(message))

    def _ask(self, wish: Wish) -> Answer:
        """Its clients wait as long: there is one plant. Raises ConnectionError where the simulator has ended."""
        self._answer = None
        self._channel.sendall(framed(wish))
        while self._answer is None:
            self._take(self._received())
            if self._is_gone:
                raise _gone()
        return self._answer

    def _received(self, flags: int = 0) -> bytes:
        """What has come; empty where the simulator has ended, however it did."""
        try:
            return self._channel.recv(_MOST_AT_ONCE, flags)
        except ConnectionError:
            return b""

    def _take(self, data: bytes) -> None:
        """In the order in which it was said: what is newer is told later."""
        self._is_gone = not data
        for message in self._frames.of(data):
            if isinstance(message, Answer):
                self._answer = message
                self._show(message.changes)
            else:
                self._is_owed = True
                self._show(message)
        self._has_news.set()

    def _show(self, changes: Changes) -> None:
        if self._picture is not None:
            self._picture.take(changes)


def _gone() -> ConnectionResetError:
    return ConnectionResetError("the simulator has ended")


async def _served(channel: socket.socket, kind: str) -> None:
    spare = await spare_of(kind)
    simulator = _Simulator(channel)
    picture, link = simulator.begin()
    try:
        server = server_of(picture, link, spare)
        port = await server.open()
    except (OSError, NotServable) as error:
        simulator.say(NotServing(str(error), isinstance(error, NotServable)))
        return
    gc.collect()
    gc.freeze()  # a server's address space lasts; looking through all of it would keep its clients waiting
    gc.enable()
    loop = asyncio.get_running_loop()
    loop.add_reader(channel, simulator.hear)
    simulator.say(Serving(port))
    try:
        while await simulator.news():
            await server.follow()
            simulator.say(Following(server.is_in_use))
    except OSError as error:  # it listens again after a fault, and somebody else has its place
        simulator.say(NotServing(str(error), for_ever=False))
    finally:
        loop.remove_reader(channel)
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await server.close()


def main() -> int:
    with socket.socket(fileno=int(sys.argv[1])) as channel, contextlib.suppress(ConnectionError):
        gc.disable()  # what is made now lasts; looking for what does not takes half of OPC UA's time
        asyncio.run(_served(channel, sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
