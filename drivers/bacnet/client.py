"""bacpypes3, tamed: no task of its own, and no datagram that it stumbles over.

The library runs each datagram in a task that nobody awaits, keeps what it heard for ever, and tries for ever to open a
port that another program has. Here a datagram is dealt with as it comes, at once or not at all; what strangers may make
us remember is bounded; a port that cannot be had is an error.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the library is typed in parts)

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from bacpypes3 import apdu as library
from bacpypes3 import errors
from bacpypes3.app import Application
from bacpypes3.appservice import AWAIT_CONFIRMATION, ApplicationServiceAccessPoint, ClientSSM
from bacpypes3.comm import ApplicationServiceElement, bind
from bacpypes3.ipv4.bvll import BVLLCodec, RegisterForeignDevice, Result
from bacpypes3.ipv4.service import BIPForeign, BIPNormal, UDPMultiplexer
from bacpypes3.local.device import DeviceObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement, RouterInfoCache
from bacpypes3.npdu import IAmRouterToNetwork
from bacpypes3.pdu import Address, GlobalBroadcast, IPv4Address, RemoteStation

from controller.core.errors import ConnectFailed
from drivers.bacnet.address import BacnetConnection, Station
from drivers.bacnet.answers import LIBRARY_ERRORS, Silence, ours, reply
from drivers.bacnet.names import ANY_INSTANCE, OBJECT_TYPES
from drivers.bacnet.udp import Socket, at_once
from drivers.bacnet.wire import Refusal

# What it says in its log, our samples and exceptions say too; garbage from the network must not fill a disk.
logging.getLogger("bacpypes3").setLevel(logging.CRITICAL)

# The longest answer that BACnet/IP carries in one datagram (ANSI/ASHRAE 135-2020, clause 20.1.2.5; its NPDU is
# one of 1497 bytes at most, table 6-1).
LONGEST_APDU: Final = 1476
_MOST_SEGMENTS: Final = 64
# Strangers' requests that are being answered, and networks that we know a way to: more are not kept.
_MOST_STRANGERS: Final = 32
_MOST_ROUTES: Final = 64
# Answers and requests have one datagram; a second try within the time-out makes up for one that was lost.
_TRIES: Final = 2
# Longer than any time-out of ours: the library's own timers never go off.
_NEVER_MS: Final = 3_600_000
# A BBMD that has not answered is asked again.
_REGISTER_AGAIN_S: Final = 5.0
_SEGMENTED: Final = 0x08  # in the first byte of a confirmed request (clause 20.1.2.1)
_NO_BROADCAST: Final = "no broadcast on this interface: name its subnet, such as 10.0.0.4/24"

Heard: TypeAlias = Callable[[Any], None]
HeardChange: TypeAlias = Callable[[Any], bool]


def address_of(station: Station) -> Address:
    if station.network is None:
        return IPv4Address((station.host, station.port))
    return RemoteStation(station.network, station.mac)


class Client(Application):
    """One local BACnet/IP socket: questions and their answers, and what devices tell unasked."""

    # Strangers may ask who we are, and for nothing else. The library looks its answers up by these names.
    do_WritePropertyRequest: Any = None
    do_WritePropertyMultipleRequest: Any = None
    do_ReadRangeRequest: Any = None
    do_SubscribeCOVRequest: Any = None
    do_DeviceCommunicationControlRequest: Any = None

    def __init__(self, link: str, connection: BacnetConnection, first_invoke_id: int = 0) -> None:
        super().__init__()
        self._link = link
        self._timeout = connection.timeout.total_seconds()
        self.invoke_id = first_invoke_id
        self.heard_change: HeardChange | None = None
        self.heard_device: Heard | None = None
        self._sought: dict[int, asyncio.Future[Address]] = {}
        self._announces = connection.instance is not None
        device = _own_device(connection)
        local = IPv4Address((str(connection.local.ip), connection.port))
        self.asap = _Transactions(device, self.device_info_cache)
        self._routes = _Routes()
        self.nsap = NetworkServiceAccessPoint(router_info_cache=self._routes)
        self.nse = _NetworkMessages()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        bbmd = connection.bbmd_station
        self._foreign = None if bbmd is None else _Foreign(bbmd, int(connection.ttl.total_seconds()))
        below: Any = self._foreign or BIPNormal()
        multiplexer = UDPMultiplexer()
        self.socket = Socket(connection)
        bind(below, BVLLCodec(), multiplexer.annexJ)
        bind(multiplexer, self.socket)
        self.nsap.bind(below, address=local)
        self.add_object(device)

    # --- opening and closing ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        try:
            await self.socket.open()
        except OSError as error:
            raise ConnectFailed(self._link, "connect", error.strerror or str(error)) from error
        if self._foreign is not None:
            self._foreign.start()

    def close(self) -> None:
        if self._foreign is not None:
            self._foreign.stop()
        for transaction in [*self.asap.serverTransactions, *self.asap.clientTransactions]:
            transaction.stop_timer()
        self.socket.close()

    async def know_route(self, station: Station) -> None:
        """Use the router that the station names, without looking for one."""
        if station.network is not None and station.host:
            await self._routes.fix(station.network, IPv4Address((station.host, station.port)))

    # --- asking -------------------------------------------------------------------------------------------------------

    async def ask(self, operation: str, to: Address, service: int, content: bytes) -> bytes | Refusal:
        """What a positive answer carries, or why there is none. Raises Silence, and DeviceError if nothing was sent."""
        if self.socket.is_closed:
            raise ConnectFailed(self._link, operation, "connection lost")
        if to.addrNet is not None:
            self._routes.own.add(to.addrNet)
        request, question = self._question(to, service, content)
        try:
            async with asyncio.timeout(self._timeout):
                await question.indication(request)
                for _ in range(_TRIES - 1):
                    await asyncio.wait([question.answer], timeout=self._timeout / _TRIES)
                    await question.repeat()
                answer = await question.answer
        except TimeoutError as error:
            raise Silence(self._link, operation, "no answer") from error
        except tuple(LIBRARY_ERRORS) as error:
            raise ours(self._link, operation, error) from error
        finally:
            question.end()
        return reply(answer)

    def leave_word(self, to: Address, service: int, content: bytes) -> None:
        """Ask for something while leaving: nobody waits for the answer, nor for a route that is not known."""
        request, question = self._question(to, service, content)
        at_once(question.indication(request))
        question.end()

    def _question(self, to: Address, service: int, content: bytes) -> tuple[Any, _Question]:
        request = library.ConfirmedRequestPDU(service, destination=to)
        request.apduInvokeID = self._next_invoke_id()
        request.put_data(content)
        question = _Question(self.asap, to)
        self.asap.clientTransactions.append(question)
        return request, question

    def _next_invoke_id(self) -> int:
        """The identifiers go round, over reopened sockets too: a late answer finds nobody who waits for it."""
        self.invoke_id = (self.invoke_id + 1) % 256
        return self.invoke_id

    async def who_is(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, low: int | None, high: int | None, to: Address | None = None
    ) -> None:
        """Ask devices, or the one at an address, to say who they are; `heard_device` is told."""
        if to is None and self._foreign is None and not self.socket.has_broadcast:
            raise Silence(self._link, "who-is", _NO_BROADCAST)
        if to is None and self._foreign is not None and not await self._foreign.is_registered(self._timeout):
            raise Silence(self._link, "who-is", "the BBMD does not register us")
        request = library.WhoIsRequest(destination=to or GlobalBroadcast())
        if low is not None:
            request.deviceInstanceRangeLowLimit = low
            request.deviceInstanceRangeHighLimit = high
        try:
            await ApplicationServiceElement.request(self, request)
        except tuple(LIBRARY_ERRORS) as error:
            raise ours(self._link, "who-is", error) from error

    async def find(self, instance: int) -> Address:
        """Where the device with this number is. Raises Silence where none says so."""
        found = self._sought.setdefault(instance, asyncio.get_running_loop().create_future())
        try:
            for _ in range(_TRIES):
                await self.who_is(instance, instance)
                await asyncio.wait([found], timeout=self._timeout / _TRIES)
                if found.done():
                    return found.result()
        finally:
            self._sought.pop(instance, None)
        raise Silence(self._link, "who-is", f"no device {instance}")

    # --- what is heard ------------------------------------------------------------------------------------------------

    def request(self, apdu: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Called by the library for what it says by itself, such as I-Am."""
        at_once(ApplicationServiceElement.request(self, apdu))

    def i_am(self, address: Address | None = None) -> None:
        if self._announces:
            super().i_am(address)

    async def do_IAmRequest(self, apdu: Any) -> None:
        sought = self._sought.get(apdu.iAmDeviceIdentifier[1])
        if sought is not None and not sought.done():
            sought.set_result(apdu.pduSource)
        if self.heard_device is not None:
            self.heard_device(apdu)

    async def do_UnconfirmedCOVNotificationRequest(self, apdu: Any) -> None:
        if self.heard_change is not None:
            self.heard_change(apdu)

    async def do_ConfirmedCOVNotificationRequest(self, apdu: Any) -> None:
        """Raises for what we did not subscribe to (any more), so that the device drops the subscription."""
        if self.heard_change is None or not self.heard_change(apdu):
            raise errors.ServicesError("unknownSubscription")
        await self.response(library.SimpleAckPDU(context=apdu))


def _own_device(connection: BacnetConnection) -> Any:
    instance = ANY_INSTANCE if connection.instance is None else connection.instance
    device: Any = DeviceObject(
        objectIdentifier=(OBJECT_TYPES["device"], instance), objectName=f"tidewatt-{instance}", vendorIdentifier=0
    )
    device.vendorName = device.modelName = "Tidewatt"
    device.maxApduLengthAccepted = LONGEST_APDU
    device.maxSegmentsAccepted = _MOST_SEGMENTS
    device.apduTimeout = device.apduSegmentTimeout = _NEVER_MS
    device.numberOfApduRetries = 0
    return device


class _Question(ClientSSM):
    """One request on its way, and its answer, put together from segments if need be."""

    def __init__(self, transactions: ApplicationServiceAccessPoint, to: Address) -> None:
        super().__init__(transactions, to)
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def request(self, apdu: Any) -> None:
        """Towards the device. The library would turn the lack of a route into an answer of the device."""
        try:
            await super().request(apdu)
        except errors.CommuncationError as error:
            if not self.answer.done():
                self.answer.set_exception(error)

    async def response(self, apdu: Any) -> None:
        if not self.answer.done():
            self.answer.set_result(apdu)

    async def repeat(self) -> None:
        """Say it again, under the same identifier: a device that has heard it does not do it twice."""
        if not self.answer.done() and self.state == AWAIT_CONFIRMATION:
            await self.request(self.get_segment(0))

    def end(self) -> None:
        self.stop_timer()
        self.answer.cancel()
        if self in self.ssmSAP.clientTransactions:
            self.ssmSAP.clientTransactions.remove(self)


class _Transactions(ApplicationServiceAccessPoint):
    async def confirmation(self, pdu: Any) -> None:
        """From the network. Requests in segments are not heard: none of what we answer is so long.

        Of requests that were never finished the oldest give way, so that nobody keeps a device's notification out.
        """
        first = pdu.pduData[0] if pdu.pduData else 0
        if first >> 4 == library.ConfirmedRequestPDU.pduType:
            if first & _SEGMENTED:
                return
            for oldest in self.serverTransactions[: 1 - _MOST_STRANGERS]:
                oldest.stop_timer()
                self.serverTransactions.remove(oldest)
        await super().confirmation(pdu)


class _Routes(RouterInfoCache):
    """Ways to other networks, as many as a site has; those to our own devices always find room.

    Anybody may say that he is the router to a network, or speak as a station behind him: where the site names the
    router, he alone is believed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.own: set[int] = set()
        self._named: dict[int, set[Any]] = {}

    async def fix(self, network: int, router: Any) -> None:
        """Use this router for the network, and let no other take its place."""
        self.own.add(network)
        self._named.setdefault(network, set()).add(router)
        await self.update_path_info(None, router, {network})

    async def update_path_info(self, snet: Any, address: Any, dnets: set[int]) -> None:
        dnets = {dnet for dnet in dnets if address in self._named.get(dnet, (address,))}
        room = _MOST_ROUTES - len(self.path_info)
        known = {dnet for dnet in dnets if dnet in self.own or (snet, dnet) in self.path_info}
        kept = known | set(sorted(dnets - known)[: max(0, room)])
        if kept:
            await super().update_path_info(snet, address, kept)


class _NetworkMessages(NetworkServiceElement):
    """We are no router: of what routers tell one another, only where networks are concerns us."""

    _startup_disabled = True

    async def indication(self, adapter: Any, npdu: Any) -> None:
        if isinstance(npdu, IAmRouterToNetwork):
            await super().indication(adapter, npdu)


class _Foreign(BIPForeign):
    """Registered with a BBMD in another subnet, which sends us its broadcasts and spreads ours (clause J.5)."""

    def __init__(self, bbmd: Station, ttl: int) -> None:
        super().__init__()
        self._bbmd: Any = IPv4Address((bbmd.host, bbmd.port))
        self._ttl = ttl
        self.bbmdAddress = self._bbmd
        self._again: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.bbmdRegistrationStatus = -1
        self._register()

    async def is_registered(self, within: float) -> bool:
        """Whether the BBMD has registered us, or does so within so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._registration_event.wait()
        except TimeoutError:
            return False
        return True

    def _register(self) -> None:
        registered = self.bbmdRegistrationStatus == 0
        at_once(self.request(RegisterForeignDevice(self._ttl, destination=self._bbmd)))
        pause = self._ttl / 2 if registered else _REGISTER_AGAIN_S
        self._again = asyncio.get_running_loop().call_later(pause, self._register)

    def stop(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    async def confirmation(self, lpdu: Any) -> None:
        if not isinstance(lpdu, Result):
            await super().confirmation(lpdu)
        elif lpdu.pduSource == self._bbmd:
            self.bbmdRegistrationStatus = int(lpdu.bvlciResultCode or 0)
            if self.bbmdRegistrationStatus == 0:
                self._registration_event.set()
            else:
                self._registration_event.clear()
