"""aiomqtt, tamed: its errors become ours here, messages are taken as they come, and nothing of it outlives its link.

What the library leaves to a time-out is said at once: a connection that breaks while an answer is awaited, a broker
that closes instead of refusing, a command that the broker acknowledges with a refusal.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

import aiomqtt
from paho.mqtt import client as paho
from paho.mqtt import subscribeoptions as options
from paho.mqtt.exception import MalformedPacket, MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from controller.core.errors import ConnectFailed, DeviceError, DeviceRefused, DeviceTimeout, ProtocolViolation
from drivers.mqtt.address import MqttConnection, Presence, Tls

# What the library would log, our samples and exceptions say.
_LOG = logging.getLogger("drivers.mqtt.library")
_LOG.setLevel(logging.CRITICAL)
logging.getLogger("mqtt").setLevel(logging.CRITICAL)

# A first SYN that is lost is repeated after 1 s (RFC 6298, 2.1), so a connection gets three times that.
CONNECT_SECONDS: Final = 3.0
# A command that its device does not get within this time is not delivered at all, where the broker knows MQTT 5: it
# might be hours old when the device comes back.
COMMAND_EXPIRES: Final = 10
# The most that a broker may send us in one packet. With MQTT 5 it is told, and keeps longer ones to itself.
LARGEST_PACKET: Final = 1024 * 1024
# Topics in one SUBSCRIBE: its packet stays far below the limits that brokers set.
_TOPICS_AT_ONCE: Final = 100
# Commands that wait for a place on a connection that does not take them.
_LONGEST_QUEUE: Final = 1000
# Bounds what a broker may write into our texts.
_LONGEST_CAUSE: Final = 200
# MQTT 5.0, 2.4: the first code of a failure, and the one of a message that nobody was there to hear.
_FIRST_FAILURE: Final = 128
_NO_SUBSCRIBERS: Final = 16

# Codes of a CONNACK that trying again does not heal: protocol version, client id, user and password, not authorised,
# authentication method (MQTT 5.0, 3.2.2.2). paho turns 1, 2, 4 and 5 of MQTT 3.1.1 into them.
_PERMANENT: Final = frozenset({132, 133, 134, 135, 140})

# X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL. It heals: a machine without power has lost its clock before it has lost its
# trust.
_NOT_YET_VALID: Final = 9

# Every exception class of aiomqtt and paho and what it is to us; a test compares this with the libraries.
LIBRARY_ERRORS: Final[Mapping[type[Exception], type[DeviceError]]] = {
    aiomqtt.MqttError: ConnectFailed,
    aiomqtt.MqttCodeError: ConnectFailed,
    aiomqtt.exceptions.MqttConnectError: ConnectFailed,
    aiomqtt.MqttReentrantError: ConnectFailed,
    MQTTException: ProtocolViolation,
    MalformedPacket: ProtocolViolation,
    paho.WebsocketConnectionError: ConnectFailed,
    options.MQTTException: ProtocolViolation,
}

_VERSIONS: Final = {5: aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}

Hear: TypeAlias = Callable[[paho.MQTTMessage], None]


class _Sent(NamedTuple):
    """A message on its way. outcome: empty once the broker took it, else why not."""

    outcome: asyncio.Future[str]
    retain: bool

    def settle(self, outcome: str) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


def ours(link: str, operation: str, error: BaseException | None) -> DeviceError:
    """The one place where the libraries' exceptions become ours."""
    match error:
        case DeviceError():
            return error
        case _BadFile():
            return DeviceRefused(link, operation, str(error))
        case ssl.SSLCertVerificationError():
            kind = ConnectFailed if error.verify_code == _NOT_YET_VALID else DeviceRefused
            return kind(link, operation, f"certificate refused: {error.verify_message}"[:_LONGEST_CAUSE])
        case aiomqtt.exceptions.MqttConnectError(rc=ReasonCode() as reason):
            kind = DeviceRefused if reason.value in _PERMANENT else ConnectFailed
            return kind(link, operation, f"refused by the broker: {reason}"[:_LONGEST_CAUSE])
        case aiomqtt.MqttCodeError(rc=ReasonCode() as reason):
            return ConnectFailed(link, operation, _lost_because(reason))
        case TimeoutError():
            return DeviceTimeout(link, operation, "no answer")
        case ssl.SSLError():
            return ConnectFailed(link, operation, f"TLS: {error.reason or error}"[:_LONGEST_CAUSE])
        case OSError(strerror=str(cause)):
            return ConnectFailed(link, operation, cause)
        case None:
            return ConnectFailed(link, operation, "connection lost")
        case _:
            kind = LIBRARY_ERRORS.get(cast("type[Exception]", type(error)), ProtocolViolation)
            return kind(link, operation, str(error)[:_LONGEST_CAUSE] or "connection lost")


def _lost_because(reason: ReasonCode) -> str:
    match reason.value:
        case 128:
            return "connection lost"
        case 141:
            return "the broker fell silent"
        case _:
            return f"closed by the broker: {reason}"[:_LONGEST_CAUSE]


class Client(aiomqtt.Client):
    """One connection, once. `hear` is called with each message as it comes, `on_lost` when the connection is.

    resumed: the broker had kept a session of ours. takes_identifiers: it marks what comes by a new subscription, and
    there may be an old one to tell it from.
    """

    def __init__(
        self, link: str, connection: MqttConnection, presence: Presence | None, hear: Hear, on_lost: Callable[[], None]
    ) -> None:
        host, port = connection.address
        is_new = connection.protocol == 5
        keeps = bool(connection.session)
        super().__init__(
            host,
            port,
            username=connection.user or None,
            password=connection.password or None,
            logger=_LOG,
            identifier=connection.client_id or None,
            protocol=_VERSIONS[connection.protocol],
            will=None if presence is None else aiomqtt.Will(presence.topic, presence.offline, 1, retain=True),
            clean_session=None if is_new else not keeps,
            clean_start=not keeps if is_new else paho.MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=round(connection.keepalive.total_seconds()),
            max_queued_outgoing_messages=_LONGEST_QUEUE,
            properties=_connect_properties(connection) if is_new else None,
        )
        self._link = link
        self._tls = connection.tls
        self._is_new = is_new
        self._keeps = keeps
        self._patience = connection.timeout.total_seconds()
        self._client.connect_timeout = max(CONNECT_SECONDS, self._patience)
        self._receive = self._client._sock_recv  # pyright: ignore[reportPrivateUsage]
        self._client._sock_recv = self._received  # pyright: ignore[reportPrivateUsage]
        self._hear = hear
        self._on_lost = on_lost
        self._acknowledgements: dict[int, _Sent] = {}
        self._reaching: asyncio.Future[None] | None = None
        self.lost: DeviceError | None = None
        self.resumed = False
        self.takes_identifiers = False

    # --- the connection -----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Raises DeviceError."""
        self._disconnected.add_done_callback(self._note_lost)
        try:
            async with asyncio.timeout(max(CONNECT_SECONDS, self._patience)):
                await self._reach()
                await self._connected
        except (OSError, ValueError, DeviceError, aiomqtt.MqttError, MQTTException) as error:
            await self._end()
            raise ours(self._link, "connect", error) from error
        except asyncio.CancelledError:
            self._cut()
            raise

    async def _reach(self) -> None:
        """Name look-up, TCP and TLS: paho blocks on them, in a thread that cannot be stopped but ends by itself."""
        self._reaching = asyncio.get_running_loop().run_in_executor(None, self._client_connect)
        try:
            await asyncio.shield(self._reaching)
        except asyncio.CancelledError:
            self._reaching.add_done_callback(self._abandon)
            raise

    def _client_connect(self) -> None:
        if self._tls is not None:
            self._client.tls_set_context(_context(self._tls))  # pyright: ignore[reportUnknownMemberType]
        super()._client_connect()

    def _abandon(self, reaching: asyncio.Future[None]) -> None:
        """The connection came, or failed, after nobody wanted it any more."""
        if not reaching.cancelled():
            reaching.exception()
        self._cut()

    async def close(self) -> None:
        """Say good-bye where the broker listens; be gone in any case, within the time-out."""
        try:
            if self._connected.done() and not self._disconnected.done():
                self._client.disconnect()
                await asyncio.wait([self._disconnected], timeout=self._patience)
        finally:
            self._cut()
        await self._end()

    async def _end(self) -> None:
        self._cut()
        if self._misc_task is not None:
            await asyncio.wait([self._misc_task], timeout=self._patience)
            if self._misc_task.done() and not self._misc_task.cancelled():
                self._misc_task.exception()

    def _cut(self) -> None:
        """Close the socket behind the library's back, which would write to it first.

        Not while the thread is about it, which has the loop watch the socket by its number: `_abandon` comes after.
        """
        if self._reaching is not None and not self._reaching.done():
            return
        self._client.on_socket_close = None
        self._client.on_socket_unregister_write = None
        connection = self._client.socket()
        if connection is not None and connection.fileno() >= 0:
            self._loop.remove_reader(connection.fileno())
            self._loop.remove_writer(connection.fileno())
            connection.close()
        if self._misc_task is not None:
            self._misc_task.cancel()
        for state in (self._connected, self._disconnected):
            if not state.done():
                state.cancel()
            elif not state.cancelled():
                state.exception()  # somebody has looked at it, or it would be logged

    def _note_lost(self, disconnected: asyncio.Future[None]) -> None:
        error = None if disconnected.cancelled() else disconnected.exception()
        is_open = self._connected.done()
        self.lost = ours(self._link, "read" if is_open else "connect", error)
        if not is_open:
            self._connected.set_exception(self.lost)
        for sent in [*self._acknowledgements.values()]:
            sent.settle(self.lost.cause)
        for subscribed in self._pending_subscribes.values():
            if not subscribed.done():
                subscribed.set_exception(self.lost)
        self._cut()  # an error while reading leaves the socket as it is, and it would be read again and again
        self._on_lost()

    # --- what is sent -------------------------------------------------------------------------------------------------

    async def listen(self, topics: Mapping[str, int], identifier: int | None = None) -> Mapping[str, str]:
        """Subscribe, each topic with its quality of service; why the broker refused some of them. Raises DeviceError.

        identifier: what the broker puts on each message that comes by this subscription, where it takes identifiers.
        """
        refused: dict[str, str] = {}
        names = [*topics]
        for start in range(0, len(names), _TOPICS_AT_ONCE):
            batch = names[start : start + _TOPICS_AT_ONCE]
            for topic, code in zip(batch, await self._subscribed(batch, topics, identifier), strict=False):
                if code.value >= _FIRST_FAILURE:
                    refused[topic] = f"subscription refused by the broker: {code}"[:_LONGEST_CAUSE]
        return refused

    async def _subscribed(
        self, batch: Sequence[str], topics: Mapping[str, int], identifier: int | None
    ) -> Sequence[ReasonCode]:
        properties = None
        if identifier is not None and self.takes_identifiers:
            properties = Properties(PacketTypes.SUBSCRIBE)
            properties.SubscriptionIdentifier = identifier
        wanted: Any = [
            (topic, options.SubscribeOptions(topics[topic]) if self._is_new else topics[topic]) for topic in batch
        ]
        try:
            answer = await self.subscribe(wanted, properties=properties, timeout=max(CONNECT_SECONDS, self._patience))
        except (DeviceError, aiomqtt.MqttError) as error:
            raise ours(self._link, "subscribe", self.lost or error) from error
        return cast("Sequence[ReasonCode]", answer)

    def send(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, expires: bool = False
    ) -> asyncio.Future[str]:
        """What becomes of a message once the broker has spoken: empty where it took it, else why not.

        expires: it is worth nothing after COMMAND_EXPIRES seconds.
        """
        outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        properties = None
        if expires and self._is_new:
            properties = Properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = COMMAND_EXPIRES
        if self.lost is not None:
            outcome.set_result(self.lost.cause)
            return outcome
        sent = self._client.publish(topic, payload, qos, retain, properties)
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            outcome.set_result(paho.error_string(sent.rc))
        else:
            self._acknowledgements[sent.mid] = _Sent(outcome, retain)
            outcome.add_done_callback(lambda _: self._acknowledgements.pop(sent.mid, None))
        return outcome

    # --- what the library calls ---------------------------------------------------------------------------------------

    def _received(self, bufsize: int) -> bytes:
        """What has come, at most so much: the library asks for all that a packet says it has, up to 256 MiB."""
        if bufsize > LARGEST_PACKET:
            raise ProtocolViolation(self._link, "read", f"a packet of {bufsize} bytes, over {LARGEST_PACKET}")
        return self._receive(bufsize)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        del client, userdata
        self._hear(message)

    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.resumed = flags.session_present
        # MQTT 5.0, 3.2.2.3.12: they are available unless the broker says otherwise, and a protocol error then.
        has_identifiers = getattr(properties, "SubscriptionIdentifierAvailable", 1) == 1
        self.takes_identifiers = self._is_new and self._keeps and has_identifiers
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttCodeError(reason_code, "closed before it was opened"))
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_socket_register_write(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        """The library would look at the socket's number later, when it may be closed or another's."""
        del userdata
        self._loop.call_soon_threadsafe(self._write_when_possible, client, sock)

    def _write_when_possible(self, client: paho.Client, connection: Any) -> None:
        if connection is client.socket() and connection.fileno() >= 0:
            self._loop.add_writer(connection.fileno(), self._write, client)

    def _write(self, client: paho.Client) -> None:
        try:
            client.loop_write()
        except (OSError, ValueError, MQTTException) as error:
            if not self._disconnected.done():
                self._disconnected.set_exception(error)

    def _on_publish(
        self, client: paho.Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        del client, userdata, properties
        code, sent = reason_code.value, self._acknowledgements.get(mid)
        if sent is not None:
            refused = code >= _FIRST_FAILURE or (code == _NO_SUBSCRIBERS and not sent.retain)
            sent.settle(f"refused by the broker: {reason_code}"[:_LONGEST_CAUSE] if refused else "")


def _connect_properties(connection: MqttConnection) -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.MaximumPacketSize = LARGEST_PACKET
    if connection.session:
        properties.SessionExpiryInterval = round(connection.session.total_seconds())
    return properties


def _context(tls: Tls) -> ssl.SSLContext:
    """Reads the files; blocks. Raises _BadFile."""
    file = tls.ca_file
    try:
        context = ssl.create_default_context(cafile=file or None)
        context.sslsocket_class = _TlsSocket
        if tls.certificate_file:
            file = f"{tls.certificate_file} with {tls.key_file}"
            # Without a password a key that has one would be asked for at the terminal.
            context.load_cert_chain(tls.certificate_file, tls.key_file, password="")
    except OSError as error:
        raise _BadFile(f"{file} cannot be used: {error.strerror or error}"[:_LONGEST_CAUSE]) from error
    return context


class _BadFile(ValueError):
    """A certificate or key that cannot be read."""


class _TlsSocket(ssl.SSLSocket):
    """The library leaves a socket open whose handshake fails, one for each attempt."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
