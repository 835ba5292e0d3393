"""The UDP socket under bacpypes3: opened at once or not at all, and each datagram is dealt with as it comes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the library is typed in parts)

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any, Final

from bacpypes3 import apdu as library
from bacpypes3.comm import Server
from bacpypes3.pdu import PDU, Address, IPv4Address

from drivers.bacnet.address import BacnetConnection
from drivers.bacnet.answers import LIBRARY_ERRORS

# What the library's decoders raise over bytes that are none of BACnet's.
STUMBLES: Final = (
    *LIBRARY_ERRORS,
    library.ErrorRejectAbortNack,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    struct.error,
)


def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run what came in, or goes out, without a task. What wants to wait for something is given up."""
    try:
        work.send(None)
    except StopIteration:
        return
    except STUMBLES:
        return
    work.close()


class Socket(Server[PDU]):
    """The local port, and beside it the subnet's broadcast address, where the subnet has one."""

    def __init__(self, connection: BacnetConnection) -> None:
        super().__init__()
        local = connection.local
        self._host, self._port = str(local.ip), connection.port
        subnet = local.network
        alone = subnet.prefixlen >= 31 or connection.bbmd or connection.port == 0
        self._broadcast = None if alone else (str(subnet.broadcast_address), connection.port)
        self._transports: list[asyncio.DatagramTransport] = []

    @property
    def is_closed(self) -> bool:
        return not self._transports or self._transports[0].is_closing()

    @property
    def has_broadcast(self) -> bool:
        return self._broadcast is not None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self.receive), (self._host, self._port), allow_broadcast=True
        )
        self._transports = [transport]
        self._port = transport.get_extra_info("sockname")[1]
        if self._broadcast is None:
            return
        listener = _shared_listener(self._broadcast)
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self.receive), sock=listener)
        except OSError:
            listener.close()
            self.close()
            raise
        self._transports.append(transport)

    def close(self) -> None:
        for transport in self._transports:
            transport.abort()
        self._transports = []

    def receive(self, data: bytes, source: tuple[str, int]) -> None:
        """One datagram from the network, whatever it holds."""
        if self.is_closed or not data or source == (self._host, self._port):
            return
        at_once(self.response(PDU(data, source=IPv4Address(source), destination=IPv4Address((self._host, self._port)))))

    async def indication(self, pdu: PDU) -> None:
        """Towards the network; nowhere if there is none. The library asks for routers in tasks of its own."""
        to: Any = pdu.pduDestination
        if self.is_closed:
            return
        if to.addrType == Address.localStationAddr:
            place = bytes(to.addrAddr)  # six bytes (clause J.1.2)
            endpoint = socket.inet_ntoa(place[:4]), int.from_bytes(place[4:], "big")
            self._transports[0].sendto(pdu.pduData, endpoint)
        elif self._broadcast is not None:
            self._transports[0].sendto(pdu.pduData, self._broadcast)


def _shared_listener(address: tuple[str, int]) -> socket.socket:
    """Every program of this machine may listen to broadcasts."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._heard(data, addr)
