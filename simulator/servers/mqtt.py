"""The simulated site at an MQTT broker: each device is a gateway with a connection and a last will of its own.

The broker is somebody else's, as on a real site. A gateway tells what changed once a second of plant time, retained;
answers requests; and takes commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from drivers.mqtt.address import Availability, MqttConnection
from simulator.servers.link import MqttLink
from simulator.servers.mqtt_messages import MqttPlace, commanded, message, presence
from simulator.servers.served_site import LOOKED_AT_S, NotServable, ServedSite, places, wire_of

if TYPE_CHECKING:
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

TELL_EVERY_S: Final = 1.0
"""Plant seconds between two looks at what changed; in a fast simulation every look of the process."""
CONNECT_WITHIN_S: Final = 5.0
_AGAIN_AFTER_S: Final = 1
_QOS: Final = 1
_MOST_QUEUED: Final = 1000  # for a broker that stalls; what it misses it is told again


class Gateway:
    """One device at the broker.

    is_connected: whether the broker knows it now. refused: why the broker does not want it, empty if it does.
    """

    def __init__(
        self, device: str, connection: MqttConnection, served: Collection[MqttPlace], site: ServedSite
    ) -> None:
        self._site = site
        self._places = [*served]
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._availability = _availability_of(device, served)
        self._topics = _by_topic(served, lambda place: place.address.state_topic)
        self._commands = _by_topic(served, lambda place: place.address.command_topic)
        self._requests = _by_topic(served, lambda place: place.address.request_topic)
        self._told: dict[str, bytes] = {}
        self._tell_at = 0.0
        self._client: Client | None = None
        self.heard_at = -LOOKED_AT_S
        self.is_connected = asyncio.Event()
        self.refused = ""

    @property
    def is_away(self) -> bool:
        """Whether it does not even try to be there."""
        return self._client is None

    def _made(self) -> Client:
        connection = self._connection
        version = MQTTProtocolVersion.MQTTv5 if connection.protocol == 5 else MQTTProtocolVersion.MQTTv311
        client = Client(CallbackAPIVersion.VERSION2, protocol=version)
        if connection.user:
            client.username_pw_set(connection.user, connection.password or None)
        if (tls := connection.tls) is not None:
            files = tls.ca_file or None, tls.certificate_file or None, tls.key_file or None
            client.tls_set(*files)  # pyright: ignore[reportUnknownMemberType]
        if (availability := self._availability) is not None:
            client.will_set(availability.topic, presence(availability, is_there=False), _QOS, retain=True)
        client.reconnect_delay_set(_AGAIN_AFTER_S, _AGAIN_AFTER_S)
        client.max_queued_messages_set(_MOST_QUEUED)
        client.on_connect, client.on_disconnect, client.on_message = self._connected, self._lost, self._came
        return client

    # --- the connection; paho calls these from a thread of its own ----------------------------------------------------

    def _connected(
        self, client: Client, user: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        del user, flags, properties
        if reason.is_failure:
            self._loop.call_soon_threadsafe(self._is_refused, str(reason))
            return
        for topic in {*self._commands, *self._requests}:
            client.subscribe(topic, _QOS)
        self._loop.call_soon_threadsafe(self._begin)

    def _lost(
        self, client: Client, user: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        del client, user, flags, reason, properties
        self._loop.call_soon_threadsafe(self.is_connected.clear)

    def _came(self, client: Client, user: Any, came: MQTTMessage) -> None:
        del client, user
        self._loop.call_soon_threadsafe(self._hear, came.topic, bytes(came.payload))

    # --- the connection, in the loop ----------------------------------------------------------------------------------

    def come(self) -> None:
        """Connect, and again whenever the connection is lost."""
        host, port = self._connection.address
        self._client = self._made()
        self._client.connect_async(host, port, max(1, round(self._connection.keepalive.total_seconds())))
        self._client.loop_start()

    def _begin(self) -> None:
        self.is_connected.set()
        self.refused = ""
        self._told.clear()  # what it told before may be lost
        self._say_presence(is_there=True)

    def _is_refused(self, reason: str) -> None:
        self.refused = reason

    def _say_presence(self, *, is_there: bool) -> None:
        if (availability := self._availability) is not None:
            self._publish(availability.topic, presence(availability, is_there=is_there))

    def _publish(self, topic: str, payload: bytes) -> None:
        if self._client is not None:
            self._client.publish(topic, payload, _QOS, retain=True)

    async def vanish(self) -> None:
        """Its power goes: the broker is left without a word, and tells its last will."""
        connection: Any = None if self._client is None else self._client.socket()
        if connection is not None:
            with contextlib.suppress(OSError):  # it is lost already
                connection.shutdown(socket.SHUT_RDWR)
        await self._end()

    async def leave(self) -> None:
        """Say goodbye."""
        self._say_presence(is_there=False)
        if self._client is not None:
            self._client.disconnect()
        await self._end()

    async def _end(self) -> None:
        """paho closes the last of its sockets when nobody knows the client any more."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.loop_stop)
            client.on_connect = client.on_disconnect = client.on_message = None
        self.is_connected.clear()

    # --- telling and understanding ------------------------------------------------------------------------------------

    async def follow(self) -> None:
        wire = wire_of(self._site, self._places)
        has_power = not wire.is_down and not wire.is_refused
        if self.is_away and has_power:
            self.come()
        elif not self.is_away and not has_power:
            await self.vanish()
        elif self.is_connected.is_set() and self._loop.time() >= self._tell_at:
            self._tell_at = self._loop.time() + TELL_EVERY_S / self._site.speed
            self._tell(self._topics, only_changes=True)

    def _tell(self, topics: Iterable[str], *, only_changes: bool = False) -> None:
        wire = wire_of(self._site, self._places)
        if wire.is_silent:
            return
        moment = self._site.now + timedelta(seconds=wire.offset)
        for topic in topics:
            told = message([(place, self._site.read(place.name)) for place in self._topics[topic]], moment)
            if only_changes and self._told.get(topic) == told:
                continue
            self._told[topic] = told
            if wire.delay > 0.0:
                self._loop.call_later(wire.delay, self._send, topic, told)
            else:
                self._send(topic, told)

    def _send(self, topic: str, told: bytes) -> None:
        if self.is_connected.is_set():
            self._publish(topic, told)

    def _hear(self, topic: str, payload: bytes) -> None:
        self.heard_at = self._loop.time()
        wire = wire_of(self._site, self._places)
        if wire.is_silent:
            return
        if wire.delay > 0.0:
            self._loop.call_later(wire.delay, self._take, topic, payload)
        else:
            self._take(topic, payload)

    def _take(self, topic: str, payload: bytes) -> None:
        self._site.refresh()
        touched: dict[str, None] = {}
        for place in self._commands.get(topic, ()):
            if self._command(place, payload):
                touched[_topic(place, place.address.state_topic)] = None
        for place in self._requests.get(topic, ()):
            if payload.decode(errors="replace") == place.address.request_payload:
                touched[_topic(place, place.address.state_topic)] = None
        self._tell(touched)

    def _command(self, place: MqttPlace, payload: bytes) -> bool:
        """Whether the message was a command to it. Nonsense is left lying, as gateways do."""
        try:
            value = commanded(place.tag, place.address, payload)
        except ValueError:
            return False
        if value is None:
            return False
        self._site.write(place.name, value)
        return True


class MqttLinkServer:
    """The gateways of one link."""

    def __init__(self, site: ServedSite, link: MqttLink, connect_within_s: float = CONNECT_WITHIN_S) -> None:
        """Raises NotServable where a binding names what the site does not have, or what a gateway cannot be."""
        self._connect_within_s = connect_within_s
        devices: dict[str, list[MqttPlace]] = {}
        for place in places(site, link.bindings):
            devices.setdefault(place.device, []).append(place)
        self._host, self._port = link.connection.address
        self._gateways = [Gateway(device, link.connection, served, site) for device, served in devices.items()]

    async def open(self) -> int:
        """Raises OSError where no broker answers, or it wants none of us."""
        for gateway in self._gateways:
            gateway.come()
        try:
            async with asyncio.timeout(self._connect_within_s):
                for gateway in self._gateways:
                    await gateway.is_connected.wait()
        except TimeoutError:
            refused = next((gateway.refused for gateway in self._gateways if gateway.refused), "")
            await self.close()
            where = f"{self._host} port {self._port}"
            if refused:
                raise OSError(f"is refused by the MQTT broker at {where}: {refused}") from None
            wanted = f"start one, such as: mosquitto -p {self._port}"
            raise OSError(f"finds no MQTT broker at {where}, and brings none of its own; {wanted}") from None
        return self._port

    @property
    def is_in_use(self) -> bool:
        """Whether somebody commanded or asked of late: who only listens is not seen."""
        now = asyncio.get_running_loop().time()
        return any(gateway.is_away or now - gateway.heard_at < LOOKED_AT_S for gateway in self._gateways)

    async def follow(self) -> None:
        for gateway in self._gateways:
            await gateway.follow()

    async def close(self) -> None:
        await asyncio.gather(*(gateway.leave() for gateway in self._gateways))


def _topic(place: MqttPlace, topic: str) -> str:
    return place.address.at(topic)


def _by_topic(served: Iterable[MqttPlace], of: Callable[[MqttPlace], str]) -> dict[str, list[MqttPlace]]:
    found: dict[str, list[MqttPlace]] = {}
    for place in served:
        if topic := of(place):
            found.setdefault(_topic(place, topic), []).append(place)
    return found


def _availability_of(device: str, served: Iterable[MqttPlace]) -> Availability | None:
    """A connection has one last will."""
    found = {replace(each, topic=_topic(place, each.topic)) for place in served for each in place.address.availability}
    if len(found) > 1:
        topics = ", ".join(sorted(each.topic for each in found))
        wrong = f"device {device} says whether it is there by {topics}"
        raise NotServable(f"{wrong}; a simulated gateway has one last will, name one topic")
    return next(iter(found), None)
