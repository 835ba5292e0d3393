"""The MQTT driver against Mosquitto, with devices played by another client of the broker."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiomqtt
import pytest

from controller.core.discovery import FoundDevice, FoundPoint
from controller.core.errors import ConnectFailed, DeviceRefused, DeviceTimeout
from controller.core.point import (
    Binding,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.sample import Quality, Sample, Scalar
from controller.core.units import Unit
from drivers.mqtt.address import Availability, MqttAddress, MqttConnection, Presence, Tls
from drivers.mqtt.driver import MqttDriver
from drivers.mqtt.scan import SCAN
from tests.hand_clock import HandClock
from tests.wire.mqtt_certificates import Certificates, make_certificates
from tests.wire.mqtt_mosquitto import Mosquitto, program, vanish

pytestmark = [pytest.mark.wire, pytest.mark.system]

POWER: Final = PointId("garage.group_1.power")
BRIGHTNESS: Final = PointId("garage.group_1.brightness")
LAMP: Final = PointId("garage.group_1.command")
STATE: Final = "lights/one"

_LAMP: Final = Writable(Range(0, 1), SafeValue(True), NothingHappens(), readback=LAMP)
POINTS: Final = {
    POWER: Point(POWER, PointKind.SENSOR, Unit.KILOWATT, plausible=Range(0, 100)),
    BRIGHTNESS: Point(BRIGHTNESS, PointKind.SENSOR, Unit.FRACTION),
    LAMP: Point(LAMP, PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN, writable=_LAMP),
}
SWITCH: Final[Mapping[str, Scalar]] = {"ON": True, "OFF": False}
ADDRESSES: Final = {
    POWER: MqttAddress("{topic}", STATE, "meter.power", scale=0.001),
    BRIGHTNESS: MqttAddress("{topic}", STATE, "brightness", scale=1 / 254),
    LAMP: MqttAddress(
        "{topic}",
        STATE,
        "state",
        values=SWITCH,
        command_topic="{topic}/set",
        command_payload='{"state": "{value}"}',
        availability=(Availability("{topic}/availability"),),
    ),
}
PATIENCE: Final = 10.0
DEFAULTS: Final = {option.name: option.default for option in SCAN.options}


def driver(port: int, addresses: Mapping[PointId, MqttAddress] = ADDRESSES, **more: Any) -> MqttDriver:
    connection = replace(MqttConnection("127.0.0.1", port, timeout=timedelta(seconds=0.5)), **more)
    bindings = [Binding(POINTS[point], "lamp", address) for point, address in addresses.items()]
    return MqttDriver("broker", connection, bindings, HandClock())


def told(**changes: Any) -> bytes:
    return json.dumps({"state": "OFF", "brightness": 127, "meter": {"power": 1500}, **changes}).encode()


async def until(link: MqttDriver, point: PointId, value: Scalar | None) -> Sample:
    """The sample of the point as soon as it has this value, by what the driver is told."""
    async with asyncio.timeout(PATIENCE):
        sample = (await link.read([point]))[point]
        changes = link.changes()
        while sample.value != value:
            news = await anext(changes)
            sample = news.get(point, sample)
        await changes.aclose()
    return sample


class TestOneBroker:
    async def test_states_arrive_and_commands_leave(self, tmp_path: Path) -> None:
        async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
            await device.subscribe(f"{STATE}/set", qos=1)
            async with driver(broker.port) as link:
                assert (await link.read([POWER]))[POWER].reason == "nothing received yet"
                await device.publish(STATE, told(), qos=1)
                sample = await until(link, POWER, 1.5)
                assert sample.quality is Quality.GOOD
                assert (await link.read([BRIGHTNESS]))[BRIGHTNESS].value == 0.5

                assert (await link.write({LAMP: 1}))[LAMP].accepted
                command = await anext(device.messages)
                assert (command.payload, command.retain) == (b'{"state": "ON"}', False)
                assert (await link.read([LAMP]))[LAMP].value is False, "a command is no state"
                await device.publish(STATE, told(state="ON"), qos=1)
                await until(link, LAMP, True)

    @pytest.mark.slow
    @pytest.mark.parametrize("protocol", [5, "3.1.1"])
    async def test_what_is_retained_is_doubted_until_the_device_speaks(
        self, tmp_path: Path, protocol: int | str
    ) -> None:
        trusted = replace(ADDRESSES[POWER], retained="good")
        ignored = replace(ADDRESSES[BRIGHTNESS], retained="ignored")
        addresses = {**ADDRESSES, POWER: trusted, BRIGHTNESS: ignored}
        async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
            await device.publish(STATE, told(), qos=1, retain=True)
            async with driver(broker.port, addresses, protocol=protocol) as link:
                samples = await link.read([*addresses])
                assert samples[LAMP][:3] == (False, Quality.UNCERTAIN, "retained: age unknown")
                assert samples[POWER][:3] == (1.5, Quality.GOOD, "")
                assert samples[BRIGHTNESS].reason == "nothing received yet"
                await device.publish(STATE, told(state="ON"), qos=1, retain=True)
                assert (await until(link, LAMP, True)).quality is Quality.GOOD

    async def test_a_device_that_is_gone_has_no_values(self, tmp_path: Path) -> None:
        will = aiomqtt.Will(f"{STATE}/availability", "offline", 1, retain=True)
        async with Mosquitto(tmp_path) as broker, driver(broker.port) as link:
            async with aiomqtt.Client("127.0.0.1", broker.port, will=will) as device:
                await device.publish(STATE, told(), qos=1)
                await device.publish(f"{STATE}/availability", "online", qos=1, retain=True)
                await until(link, POWER, 1.5)
                vanish(device)
                await until(link, POWER, None)
            samples = await link.read([*ADDRESSES])
            assert {sample.reason for sample in samples.values()} == {"device offline"}
            async with aiomqtt.Client("127.0.0.1", broker.port) as device:
                await device.publish(f"{STATE}/availability", "online", qos=1, retain=True)
                await device.publish(STATE, told(meter={"power": 2000}, brightness=None), qos=1)
                await until(link, POWER, 2.0)
                assert (await link.read([BRIGHTNESS]))[BRIGHTNESS].reason == "no value (null)"


@pytest.mark.slow
class TestOurPresence:
    async def test_we_are_told_to_be_there_and_gone(self, tmp_path: Path) -> None:
        ours = Presence("tidewatt/here")
        async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
            await device.subscribe("tidewatt/here", qos=1)
            async with driver(broker.port, presence=ours):
                assert (await anext(device.messages)).payload == b"online"
            assert (await anext(device.messages)).payload == b"offline"

    async def test_the_broker_says_it_when_we_vanish(self, tmp_path: Path) -> None:
        ours = Presence("tidewatt/here")
        async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
            await device.subscribe("tidewatt/here", qos=1)
            async with driver(broker.port, presence=ours, client_id="first"):
                assert (await anext(device.messages)).payload == b"online"
                # Another client of our name: the broker closes our connection.
                async with aiomqtt.Client("127.0.0.1", broker.port, identifier="first"):
                    assert (await anext(device.messages)).payload == b"offline"

    async def test_without_write_rights_we_are_not_there(self, tmp_path: Path) -> None:
        read_only = {POWER: ADDRESSES[POWER]}
        async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
            await device.subscribe("#", qos=1)
            async with driver(broker.port, read_only, presence=Presence("tidewatt/here")):
                await device.publish("marker", b"")
                assert (await anext(device.messages)).topic.value == "marker"


class TestTrouble:
    async def test_a_broker_that_dies_is_an_error_at_once_and_comes_back(self, tmp_path: Path) -> None:
        async with Mosquitto(tmp_path) as broker:
            link = driver(broker.port)
            async with link:
                changes = link.changes()
                await broker.kill()
                async with asyncio.timeout(PATIENCE):
                    with pytest.raises(ConnectFailed, match="connection lost"):
                        await anext(changes)
                with pytest.raises(ConnectFailed, match="connection lost"):
                    await link.read([POWER])
                assert (await link.write({LAMP: True}))[LAMP].reason
            with pytest.raises(ConnectFailed, match="refused"):
                await link.__aenter__()
            await broker.start()
            async with link, aiomqtt.Client("127.0.0.1", broker.port) as device:
                await device.publish(STATE, told(), qos=1)
                await until(link, POWER, 1.5)

    @pytest.mark.slow
    async def test_a_broker_that_stalls_is_noticed_within_twice_the_keepalive(self, tmp_path: Path) -> None:
        keepalive = timedelta(seconds=2)
        async with Mosquitto(tmp_path) as broker, driver(broker.port, keepalive=keepalive) as link:
            broker.signal(signal.SIGSTOP)
            result = (await link.write({LAMP: True}))[LAMP]
            assert result == (False, "not acknowledged by the broker")
            started = time.monotonic()
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(ConnectFailed, match="silent"):
                    await anext(link.changes())
            # The library looks once a second.
            assert time.monotonic() - started < 2 * keepalive.total_seconds() + 1.5

    @pytest.mark.slow
    async def test_nobody_answers(self, tmp_path: Path) -> None:
        async with Mosquitto(tmp_path) as broker:
            broker.signal(signal.SIGSTOP)
            started = time.monotonic()
            with pytest.raises(DeviceTimeout):
                await driver(broker.port).__aenter__()
            assert time.monotonic() - started < PATIENCE

    async def test_cancelled_while_it_connects(self, tmp_path: Path) -> None:
        async with Mosquitto(tmp_path) as broker:
            broker.signal(signal.SIGSTOP)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await driver(broker.port).__aenter__()


@pytest.mark.slow
class TestSecurity:
    async def test_a_wrong_password_is_for_good(self, tmp_path: Path) -> None:
        async with Mosquitto(tmp_path, *await _password_file(tmp_path), anonymous=False) as broker:
            for protocol in (5, "3.1.1"):
                async with driver(broker.port, user="tidewatt", password="secret", protocol=protocol) as link:
                    await link.read([POWER])
                for user, password in (("tidewatt", "guess"), ("nobody", "secret"), ("", "")):
                    with pytest.raises(DeviceRefused, match="refused by the broker: Not authorized"):
                        await driver(broker.port, protocol=protocol, user=user, password=password).__aenter__()

    @pytest.mark.parametrize("protocol", [5, "3.1.1"])
    async def test_a_command_that_the_access_list_denies_shows(self, tmp_path: Path, protocol: int | str) -> None:
        """MQTT 5 says so at once; with 3.1.1 nothing does, and the state stays what it was."""
        access = tmp_path / "access.conf"
        access.write_text("topic read #\ntopic write lights/+\n")
        async with (
            Mosquitto(tmp_path, f"acl_file {access}") as broker,
            aiomqtt.Client("127.0.0.1", broker.port) as device,
            driver(broker.port, protocol=protocol) as link,
        ):
            await device.publish(STATE, told(), qos=1)
            await until(link, LAMP, False)
            result = (await link.write({LAMP: True}))[LAMP]
            assert result.accepted == (protocol == "3.1.1")
            assert (result.reason == "refused by the broker: Not authorized") == (protocol == 5)
            await device.publish(STATE, told(brightness=254), qos=1)
            await until(link, BRIGHTNESS, 1.0)
            assert (await link.read([LAMP]))[LAMP].value is False

    async def test_nobody_hears_a_command(self, tmp_path: Path) -> None:
        async with Mosquitto(tmp_path) as broker, driver(broker.port) as link:
            assert (await link.write({LAMP: True}))[LAMP].reason == "refused by the broker: No matching subscribers"

    async def test_encrypted_with_certificates_on_both_sides(self, tmp_path: Path) -> None:
        made = make_certificates(tmp_path)
        tls = Tls(str(made.ca), str(made.client), str(made.client_key))
        async with Mosquitto(tmp_path, *_tls_lines(made), "require_certificate true") as broker:
            async with driver(broker.port, tls=tls) as link:
                assert (await link.read([POWER]))[POWER].reason == "nothing received yet"
            with pytest.raises(ConnectFailed):  # our certificate is missing
                await driver(broker.port, tls=Tls(str(made.ca))).__aenter__()
            with pytest.raises(ConnectFailed):
                await driver(broker.port).__aenter__()

    async def test_a_broker_that_cannot_prove_itself_is_refused(self, tmp_path: Path) -> None:
        made = make_certificates(tmp_path)
        async with Mosquitto(tmp_path, *_tls_lines(made)) as broker:
            with pytest.raises(DeviceRefused, match="certificate refused"):
                await driver(broker.port, tls=Tls(str(made.stranger))).__aenter__()
            with pytest.raises(DeviceRefused, match="certificate refused: Hostname mismatch"):
                await driver(broker.port, tls=Tls(str(made.ca)), host="localhost").__aenter__()

    async def test_files_that_cannot_be_used_are_named(self, tmp_path: Path) -> None:
        made = make_certificates(tmp_path)
        for tls in (
            Tls(str(tmp_path / "none.pem")),
            Tls(str(made.server_key)),
            Tls(str(made.ca), str(made.client), str(made.server_key)),
        ):
            with pytest.raises(DeviceRefused, match=r"\.pem cannot be used: "):
                await driver(1, tls=tls).__aenter__()

    async def test_an_expired_certificate_is_refused(self, tmp_path: Path) -> None:
        made = make_certificates(tmp_path, expired=True)
        async with Mosquitto(tmp_path, *_tls_lines(made)) as broker:
            with pytest.raises(DeviceRefused, match="certificate refused: certificate has expired"):
                await driver(broker.port, tls=Tls(str(made.ca))).__aenter__()

    async def test_a_certificate_that_is_not_valid_yet_is_tried_again(self, tmp_path: Path) -> None:
        made = make_certificates(tmp_path, not_yet=True)
        async with Mosquitto(tmp_path, *_tls_lines(made)) as broker:
            with pytest.raises(ConnectFailed, match="certificate refused: certificate is not yet valid"):
                await driver(broker.port, tls=Tls(str(made.ca))).__aenter__()


@pytest.mark.slow
class TestSession:
    @pytest.mark.parametrize("protocol", [5, "3.1.1"])
    async def test_what_was_kept_for_us_is_doubted_until_the_device_speaks(
        self, tmp_path: Path, protocol: int | str
    ) -> None:
        session: dict[str, Any] = {"session": timedelta(minutes=5), "client_id": "plant", "protocol": protocol}
        async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
            link = driver(broker.port, **session)
            async with link:
                await device.publish(STATE, told(), qos=1)
                await until(link, POWER, 1.5)
            await device.publish(STATE, told(meter={"power": 2500}), qos=1)
            async with link:
                sample = await until(link, POWER, 2.5)
                assert sample[1:3] == (Quality.UNCERTAIN, "kept by the broker: age unknown")
                if protocol == 5:
                    await device.publish(STATE, told(meter={"power": 3000}), qos=1)
                    assert (await until(link, POWER, 3.0)).quality is Quality.GOOD


@pytest.mark.slow
class TestScan:
    async def test_it_finds_what_is_described_and_what_is_said(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("secret\n")
        options = {**DEFAULTS, "for": "3s", "user": "tidewatt", "password-file": str(secret)}
        described = {"name": "Power", "stat_t": "meter", "val_tpl": "{{ value_json.kw }}", "unit_of_meas": "kW"}
        async with (
            Mosquitto(tmp_path, *await _password_file(tmp_path), anonymous=False) as broker,
            aiomqtt.Client("127.0.0.1", broker.port, username="tidewatt", password="secret") as device,
        ):
            await device.publish("homeassistant/sensor/meter/config", json.dumps(described), retain=True, qos=1)
            await device.publish("meter", b'{"kw": 12.5}', retain=True, qos=1)
            await device.publish(STATE, told(), retain=True, qos=1)
            found = [each async for each in SCAN.discover(f"127.0.0.1:{broker.port}", options)]
        points = {each.name: each for each in found if isinstance(each, FoundPoint)}
        assert {name: point.value for name, point in points.items()} == {
            "power": "12.5",
            "state": "off",
            "brightness": "127",
            "meter_power": "1500",
        }
        devices = [each for each in found if isinstance(each, FoundDevice)]
        assert devices[0].connection == {
            "host": "127.0.0.1",
            "port": broker.port,
            "user": "tidewatt",
            "password": {"!file": str(secret)},
        }

    @pytest.mark.parametrize(
        "target, changes",
        [
            ("", {}),
            ("a:b", {}),
            ("a:99999", {}),
            ("a", {"for": "soon"}),
            ("a", {"for": "2h"}),
            ("a", {"topics": "a/#/b"}),
            ("a", {"topics": "a+"}),
            ("a", {"password-file": "/nowhere"}),
        ],
    )
    async def test_a_target_or_option_that_cannot_be(self, target: str, changes: dict[str, str]) -> None:
        with pytest.raises(ValueError, match=r".; \w"):
            await anext(SCAN.discover(target, {**DEFAULTS, **changes}))


async def _password_file(folder: Path) -> tuple[str]:
    file = folder / "passwords"
    making = await asyncio.create_subprocess_exec(
        program("mosquitto_passwd"), "-c", "-b", str(file), "tidewatt", "secret"
    )
    assert await making.wait() == 0
    return (f"password_file {file}",)


def _tls_lines(made: Certificates) -> tuple[str, ...]:
    return f"cafile {made.ca}", f"certfile {made.server}", f"keyfile {made.server_key}"
