"""A link that is served by a process of its own: this end of it, in the plant's process."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from controller.core.point import Binding
from simulator.device_clock import DeviceClock, clock_tag
from simulator.faults.wire import WELL, Wire
from simulator.gateway import Value
from simulator.servers.frames import Frames, framed
from simulator.servers.link import ServedLink
from simulator.servers.picture import Answer, Begin, Changes, Following, NotServing, Serving, Wish
from simulator.servers.served_site import NotServable, ServedSite, places
from simulator.servers.waiting_server import WaitingServer, waiting_server
from simulator.tags import Tag

_OPEN_WITHIN_S = 30.0
"""Libraries may have to be loaded, and OPC UA builds its address space; a busy machine takes its time."""
_CLOSE_WITHIN_S = 5.0
_LOOK_AGAIN_S = 0.02
_NEVER = object()


class ServerEnded(RuntimeError):
    """The process of a link ended although nobody asked it to."""


class LinkProcess(asyncio.Protocol):
    """As any other server of a link. Changes are told only when the last ones were taken, so nothing piles up."""

    def __init__(
        self, site: ServedSite, link: ServedLink, clock: DeviceClock, waiting: WaitingServer | None = None
    ) -> None:
        """waiting: its process, where it was started already. Raises NotServable where a binding names what the site
        does not have."""
        self._site = site
        self._link = link
        self._clock = clock
        self._waiting = waiting
        self._tags = _tags(site, link.bindings)
        self._told: dict[str, Value | None] = {}
        self._frames = Frames()
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._opened: asyncio.Future[int] | None = None
        self._is_in_use = False
        self._may_be_told = True
        self._problem: Exception | None = None

    async def open(self) -> int:
        """Raises OSError where the link cannot be served now, NotServable where it never can be."""
        self._process, channel = self._waiting or waiting_server(self._link)
        loop = asyncio.get_running_loop()
        self._opened = loop.create_future()
        self._transport, _ = await loop.create_unix_connection(lambda: self, sock=channel)
        self._send(Begin(self._link, self._tags, self._clock, self._changes()))
        try:
            async with asyncio.timeout(_OPEN_WITHIN_S):
                return await self._opened
        except TimeoutError:
            raise OSError(f"cannot serve link {self._link.name}: no sign of it in {_OPEN_WITHIN_S:g} s") from None

    @property
    def is_in_use(self) -> bool:
        return self._is_in_use

    async def follow(self) -> None:
        """Tell what has changed. Raises OSError where it cannot be served any more, ServerEnded where it is gone."""
        if self._problem is not None:
            raise self._problem
        if self._may_be_told:
            self._may_be_told = False
            self._send(self._changes())

    async def close(self) -> None:
        """Hang up, which ends the process. Closing twice is fine."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        process, self._process = self._process, None
        if process is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                while process.poll() is None:  # noqa: ASYNC110 (a process tells nobody that it ends)
                    await asyncio.sleep(_LOOK_AGAIN_S)
        except TimeoutError:
            process.kill()
            process.wait()

    # --- messages -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        for message in self._frames.of(data):
            self._hear(message)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._fail(ServerEnded(f"the process that serves link {self._link.name} has ended, and the simulator with it"))

    def _hear(self, message: Serving | NotServing | Following | Wish) -> None:
        match message:
            case Wish():
                self._send(self._done(message))
            case Following(is_in_use):
                self._is_in_use, self._may_be_told = is_in_use, True
            case Serving(port):
                if self._opened is not None and not self._opened.done():
                    self._opened.set_result(port)
            case NotServing(problem, for_ever):
                self._fail(NotServable(problem) if for_ever else OSError(problem))

    def _fail(self, problem: Exception) -> None:
        """The first reason counts: what follows comes of it."""
        self._problem = self._problem or problem
        if self._opened is not None and not self._opened.done():
            self._opened.set_exception(self._problem)

    def _send(self, message: Begin | Changes | Answer) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(framed(message))

    def _done(self, wish: Wish) -> Answer:
        self._site.refresh()
        try:
            if wish.value is None:
                self._site.release(wish.name)
            else:
                self._site.write(wish.name, wish.value)
        except ValueError as error:
            return Answer(str(error), self._changes())
        return Answer("", self._changes())

    def _changes(self) -> Changes:
        """What was not told yet."""
        read, told = self._site.read, self._told
        values = {name: value for name in self._tags if told.get(name, _NEVER) != (value := read(name))}
        told.update(values)
        return Changes(values, self._wires(), self._site.has_reading_faults)

    def _wires(self) -> Mapping[str, Wire]:
        found = {name: self._site.wire(name) for name in self._tags}
        return {name: wire for name, wire in found.items() if wire != WELL}


def _tags(site: ServedSite, bindings: Sequence[Binding[Any]]) -> dict[str, Tag]:
    """Of the points themselves, and of the remote bits of their machines, which a BACnet device has without showing."""
    found = {place.name: place.tag for place in places(site, bindings) if clock_tag(place.name) is None}
    for machine in {name.rpartition(".")[0] for name in found}:
        bit = f"{machine}.remote"
        try:
            found[bit] = site.tag(bit)
        except KeyError:
            continue
    return found
