"""asyncua, tamed: one session without reconnection, every wait bounded, every error one of ours."""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClient, UaClientState, UASocketProtocol
from asyncua.client.ua_session import UaSession
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import NotEnoughData
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from asyncua.ua.uaerrors import (
    BadRequestTooLarge,
    BadTcpMessageTooLarge,
    UaError,
    UaStatusCodeError,
    UaStructParsingError,
)

from controller.core.errors import ConnectFailed, ProtocolViolation
from drivers.opcua.address import OpcuaConnection, Policy, Security
from drivers.opcua.certificates import (
    Identity,
    NotUsable,
    is_trusted,
    keep_rejected,
    own_identity,
    refuse_invalid,
    server_certificate,
    trusted_certificates,
)
from drivers.opcua.codec import status_name
from drivers.opcua.errors import GARBLED, NEEDS_A_PERSON, Garbled, Refused, kind_of_status, told_as_ours

# asyncua logs every failed request and every lost connection with its traceback. What it says there, our samples and
# exceptions say too.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)

APPLICATION_URI: Final = "urn:tidewatt:client"
# A crashed daemon's session, one of the few that small servers have, is gone after this.
SESSION_SECONDS: Final = 120.0
# The keys of the channel are renewed after this share of their life (OPC UA Part 4, 5.6.2.1: 75 %); earlier, because
# we do it when we read, and rounds may lie apart.
_RENEW_AFTER: Final = 0.5
# A session of which nothing is heard for SESSION_SECONDS is ended by the server.
_SIGN_OF_LIFE_EVERY: Final = SESSION_SECONDS / 4
_SERVER_STATE: Final = 2259
_VALUE: Final = 13
# The most that a server may send us as one answer.
_LARGEST_ANSWER: Final = 16 * 1024 * 1024
# OPC UA Part 6, 7.1.2: no buffer is smaller, so an answer in more pieces than fit is made of crumbs; the type and the
# size of a chunk come first.
_SMALLEST_BUFFER: Final = 8192
_USUAL_BUFFER: Final = 65535
_SIZE: Final = slice(4, 8)
# What saying goodbye may take.
_CLOSE_SECONDS: Final = 1.0

_MODES: Final[Mapping[Security, ua.MessageSecurityMode]] = {
    "none": ua.MessageSecurityMode.None_,
    "sign": ua.MessageSecurityMode.Sign,
    "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt,
}
_POLICIES: Final[Mapping[Policy, type[security_policies.SecurityPolicy]]] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}


# --- the session ------------------------------------------------------------------------------------------------------


class _Session(UaSession):
    """The library's session, whose publishing ends when we are told that it has."""

    async def publishing_ended(self) -> None:
        task = self._publish_task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=_CLOSE_SECONDS)


class _Limits(TransportLimits):
    """What we take. The library would take what the server says that *it* takes, which may be any amount."""

    def update_client_limits(self, msg: ua.Acknowledge) -> None:
        """Of its two buffers some servers say the one that they mean for the other."""
        self.max_recv_buffer = min(max(msg.ReceiveBufferSize, msg.SendBufferSize), _LARGEST_ANSWER)
        self.max_send_buffer = min(msg.ReceiveBufferSize, msg.SendBufferSize)


class _Protocol(UASocketProtocol):
    """Remembers why the server refused to open the channel, which the library loses. Ends a connection on which more
    is announced than we take, before it has come.
    """

    refusal: UaStatusCodeError | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        size = int.from_bytes((self.receive_buffer or b"")[_SIZE], "little")
        if size > self._connection._limits.max_recv_buffer:  # pyright: ignore[reportPrivateUsage]
            self._fail_all_pending(BadTcpMessageTooLarge())
            self.disconnect_socket()

    def _fail_all_pending(self, exc: Exception) -> None:
        """Whatever the reason, the connection ends: no request was refused that might be asked again in parts."""
        super()._fail_all_pending(BadTcpMessageTooLarge() if isinstance(exc, BadRequestTooLarge) else exc)

    def _process_received_message(self, msg: ua.Message | ua.Acknowledge | ua.ErrorMessage | None) -> None:
        if self._open_secure_channel_exchange is not None and isinstance(msg, ua.Message):
            try:
                self.check_answer(msg.body(), "while the channel is opened")
            except UaStatusCodeError as error:
                self.refusal = error
        super()._process_received_message(msg)


class _Transport(UaClient):
    def _make_protocol(self) -> UASocketProtocol:
        usual = super()._make_protocol()
        limits = _Limits(_USUAL_BUFFER, _USUAL_BUFFER, _LARGEST_ANSWER // _SMALLEST_BUFFER, _LARGEST_ANSWER)
        self.protocol = protocol = _Protocol(usual.timeout, self.security_policy, limits)
        protocol.pre_request_hook = usual.pre_request_hook
        protocol.on_connection_lost = usual.on_connection_lost
        protocol.is_session_closing = usual.is_session_closing
        return protocol


class _Client(Client):
    def __init__(self, connection: OpcuaConnection, uri: str) -> None:
        super().__init__(connection.url, timeout=connection.timeout.total_seconds())
        hook = self.uaclient.pre_request_hook
        self.uaclient = _Transport(connection.timeout.total_seconds())
        self.uaclient.pre_request_hook = hook
        self.application_uri = uri
        self.name = self.description = "Tidewatt"
        self.product_uri = "urn:tidewatt"
        self.session_timeout = round(SESSION_SECONDS * 1000)
        self.session = _Session(self.uaclient)
        self.uaclient.session = self.session

    @property
    def transport(self) -> UaClient:
        return self.uaclient


class SessionClock(Protocol):
    """What a session needs of a Clock."""

    def now(self) -> datetime: ...

    def wire_time(self) -> float: ...


async def offered_endpoints(link: str, connection: OpcuaConnection) -> Sequence[ua.EndpointDescription]:
    """What the server offers, asked without any security. Raises DeviceError."""
    client = _Client(connection, APPLICATION_URI)
    with told_as_ours(link, "ask for endpoints"):
        return await _endpoints(client)


async def _endpoints(client: _Client) -> Sequence[ua.EndpointDescription]:
    try:
        return await client.connect_and_get_server_endpoints()
    finally:
        await asyncio.sleep(0)  # the loop closes the socket in its next round


class Session:
    """One activated session. Each method is one request; all raise DeviceError where the link is lost."""

    def __init__(self, link: str, connection: OpcuaConnection, clock: SessionClock) -> None:
        self._link = link
        self._connection = connection
        self._clock = clock
        self._client: _Client | None = None
        self._renew_at = 0.0
        self._asked_at = 0.0

    async def open(self) -> None:
        """Raises ConnectFailed, DeviceTimeout, ProtocolViolation or DeviceRefused, and leaves nothing open then."""
        try:
            with told_as_ours(self._link, "connect"):
                await self._connect()
        except BaseException:
            await self.close()
            raise

    async def _connect(self) -> None:
        connection = self._connection
        identity = self._identity()
        named = identity.application_uri if identity is not None else ""
        if named and connection.application_uri not in ("", named):
            raise NotUsable(f"application_uri is not {named}, which our certificate names; leave it out")
        uri = connection.application_uri or named or APPLICATION_URI
        client = self._client = _Client(connection, uri)
        if identity is not None:
            await self._secure(client, identity)
        await client.connect_socket()
        await client.send_hello()
        await self._open_channel(client)
        await client.create_session()
        self._refuse_to_show_the_password(client)
        await client.activate_session(username=connection.user or None, password=connection.password or None)

    async def _open_channel(self, client: _Client) -> None:
        protocol = client.transport.protocol
        try:
            await client.open_secure_channel()
        except AssertionError:  # all that the library leaves of a refusal
            if isinstance(protocol, _Protocol) and protocol.refusal is not None:
                raise protocol.refusal from None
            raise
        self._note_renewal(client)

    def _identity(self) -> Identity | None:
        connection = self._connection
        if connection.channel == "none":
            return None
        return own_identity(connection.certificate, connection.private_key, self._clock.now())

    async def _secure(self, client: _Client, identity: Identity) -> None:
        """Learn the server's certificate, and go on only with one that we trust."""
        connection = self._connection
        mode, policy = _MODES[connection.channel], _POLICIES[connection.policy]
        offered = [
            endpoint
            for endpoint in await _endpoints(client)
            if endpoint.SecurityMode == mode and endpoint.SecurityPolicyUri == policy.URI
        ]
        if not offered:
            raise NotUsable(f"the server does not offer {connection.channel} with {connection.policy}")
        certificate = server_certificate(offered[0].ServerCertificate)
        now = self._clock.now()
        if not is_trusted(certificate, trusted_certificates(connection.server_certificate, connection.trusted), now):
            advice = keep_rejected(certificate, connection.trusted)
            raise NotUsable(f"the server is not trusted; {advice} if it is the right one")
        refuse_invalid(certificate, now, "the server's certificate")
        await client.set_security(
            policy,
            certificate=CertProperties(identity.certificate, "der"),
            private_key=CertProperties(identity.private_key, "der"),
            server_certificate=CertProperties(_der(certificate), "der"),
            mode=mode,
        )

    def _refuse_to_show_the_password(self, client: _Client) -> None:
        """On a channel that only signs, the password is hidden only where the server asks for it encrypted."""
        connection = self._connection
        if not connection.password or connection.plain_password or connection.channel == "sign_and_encrypt":
            return
        if client.server_policy(ua.UserTokenType.UserName).SecurityPolicyUri in (None, "", _NO_SECURITY):
            raise NotUsable("the server wants the password unencrypted; use sign_and_encrypt")

    async def close(self) -> None:
        """In bounded time, whether the server is there or not; nothing of the library stays behind."""
        client, self._client = self._client, None
        if client is None:
            return
        protocol = client.transport.protocol
        said_goodbye = False
        with suppress(TimeoutError, UaError, OSError, *GARBLED):
            async with asyncio.timeout(min(_CLOSE_SECONDS, self._connection.timeout.total_seconds())):
                await client.transport.close_session(True)
                await client.transport.close_secure_channel()
                said_goodbye = True
        await client.session.publishing_ended()
        transport = protocol.transport if protocol is not None else None
        client.disconnect_socket()
        if transport is not None and not said_goodbye:
            transport.abort()
        await asyncio.sleep(0)  # the loop closes the socket in its next round

    @property
    def is_open(self) -> bool:
        return self._client is not None and self._client.transport.state is UaClientState.CONNECTED

    def client(self, operation: str) -> _Client:
        if self._client is None or not self.is_open:
            raise ConnectFailed(self._link, operation, "connection lost")
        return self._client

    async def keep_up(self) -> None:
        """Renew the keys of the channel where it is time, and let the server know of us where nothing else does."""
        client = self.client("read")
        now = self._clock.wire_time()
        if now >= self._renew_at:
            self._note_renewal(client)  # whoever asks meanwhile needs none
            with told_as_ours(self._link, "renew"):
                await client.open_secure_channel(renew=True)
                client.transport.revolve_security_token()
            self._note_renewal(client)
        if now - self._asked_at > _SIGN_OF_LIFE_EVERY:
            with suppress(Refused, Garbled):
                await self.read([ua.ReadValueId(NodeId=ua.NodeId(_number(_SERVER_STATE)), AttributeId=_number(_VALUE))])

    def _note_renewal(self, client: _Client) -> None:
        self._renew_at = self._clock.wire_time() + client.secure_channel_timeout / 1000 * _RENEW_AFTER

    # Each of these is one request. What the server refuses as a whole is a Refused.

    async def read(self, asked: Sequence[ua.ReadValueId]) -> Sequence[ua.DataValue]:
        parameters = ua.ReadParameters(
            MaxAge=_number(0), TimestampsToReturn=ua.TimestampsToReturn.Both, NodesToRead=list(asked)
        )
        return await self._answered("read", len(asked), lambda client: client.session.read(parameters))

    async def set_values(self, wishes: Sequence[ua.WriteValue]) -> Sequence[ua.StatusCode]:
        parameters = ua.WriteParameters(NodesToWrite=list(wishes))
        return await self._answered("write", len(wishes), lambda client: client.session.write(parameters))

    async def browse(self, parameters: ua.BrowseParameters) -> Sequence[ua.BrowseResult]:
        count = len(parameters.NodesToBrowse)
        return await self._answered("browse", count, lambda client: client.session.browse(parameters))

    async def browse_next(self, parameters: ua.BrowseNextParameters) -> Sequence[ua.BrowseResult]:
        count = len(parameters.ContinuationPoints)
        return await self._answered("browse", count, lambda client: client.session.browse_next(parameters))

    async def create_subscription(
        self, parameters: ua.CreateSubscriptionParameters, told: Callable[[ua.PublishResult], None]
    ) -> ua.CreateSubscriptionResult:
        return await self._asked("subscribe", lambda client: client.session.create_subscription(parameters, told))

    async def create_monitored_items(
        self, parameters: ua.CreateMonitoredItemsParameters
    ) -> Sequence[ua.MonitoredItemCreateResult]:
        count = len(parameters.ItemsToCreate)
        return await self._answered("subscribe", count, lambda c: c.session.create_monitored_items(parameters))

    async def delete_subscription(self, subscription: int) -> None:
        await self._asked("subscribe", lambda client: client.session.delete_subscriptions([subscription]))

    async def _answered(self, operation: str, expected: int, request: Callable[[_Client], Any]) -> Sequence[Any]:
        results = await self._asked(operation, request)
        if len(results) != expected:
            raise Garbled(f"{len(results)} answers to {expected} questions")
        return results

    async def _asked(self, operation: str, request: Callable[[_Client], Any]) -> Any:
        client = self.client(operation)
        self._asked_at = self._clock.wire_time()
        with told_as_ours(self._link, operation):
            try:
                return await request(client)
            except UaStatusCodeError as error:
                name = status_name(error.code or 0)
                if kind_of_status(name) is ProtocolViolation or name in NEEDS_A_PERSON:
                    raise Refused(name) from error
                raise
            except (UaStructParsingError, NotEnoughData, *GARBLED) as error:
                raise Garbled(type(error).__name__) from error


_NO_SECURITY: Final = security_policies.SecurityPolicyNone.URI


def _der(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def _number(value: float) -> Any:
    """The library's annotations want its own number types; its code takes Python's."""
    return value
