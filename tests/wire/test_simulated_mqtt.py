"""The simulated gateways at a real broker: what they say unasked, what they leave behind, and where there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from controller.cli.simulate import served_link
from simulator.process import serve
from simulator.servers.link import ModbusLink, MqttLink
from simulator.servers.mqtt import MqttLinkServer
from tests.site_processes import free_ports
from tests.wire.mqtt_mosquitto import Mosquitto
from tests.wire.simulated_site import PATIENCE_S, Simulated, compiled, copied, served

pytestmark = [pytest.mark.wire, pytest.mark.system]

GROUP = "garage.group_1"


async def told(client: aiomqtt.Client, topic: str, wanted: Callable[[Any], object]) -> aiomqtt.Message:
    """The first message there for which `wanted` is true of its content."""
    async with asyncio.timeout(PATIENCE_S):
        async for message in client.messages:
            if str(message.topic) == topic and wanted(message.payload):
                return message
    raise AssertionError("the broker hung up")


async def test_states_are_retained_commands_are_taken_and_a_last_will_is_left(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path) as broker:
        simulated = Simulated(compiled(copied(tmp_path, broker.port)), "lighting")
        async with served(simulated), aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.subscribe("garage/ramp/#")
            state = await told(client, "garage/ramp/state", lambda payload: b"brightness" in payload)
            assert json.loads(bytes(state.payload))["brightness"] == 100.0
            async with aiomqtt.Client("127.0.0.1", broker.port) as late:
                await late.subscribe("garage/ramp/state")
                assert (await told(late, "garage/ramp/state", lambda payload: b"brightness" in payload)).retain
            await client.publish("garage/ramp/set", '{"brightness_command": 40, "remote": true}')
            await client.publish("garage/ramp/set", '{"brightness_command": 400}')
            await client.publish("garage/ramp/set", "nonsense")
            taken = await told(client, "garage/ramp/state", lambda payload: json.loads(payload)["remote"] is True)
            assert json.loads(bytes(taken.payload))["brightness_command"] == 40.0
            assert simulated.site.read(f"{GROUP}.brightness_command") == 0.4
            fault = simulated.fault("reboot")
            await told(client, "garage/ramp/status", lambda payload: payload == b"offline")
            assert simulated.site.read(f"{GROUP}.remote") is False
            simulated.end(fault)
            await told(client, "garage/ramp/status", lambda payload: payload == b"online")


@pytest.mark.slow
async def test_gateways_come_back_after_their_broker(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path) as broker:
        simulated = Simulated(compiled(copied(tmp_path, broker.port)), "lighting")
        async with served(simulated):
            await broker.kill()
            await broker.start()
            async with aiomqtt.Client("127.0.0.1", broker.port) as client:
                await client.subscribe("garage/ramp/#")
                await told(client, "garage/ramp/status", lambda payload: payload == b"online")
                await told(client, "garage/ramp/state", lambda payload: b"brightness" in payload)


@pytest.mark.slow
async def test_without_a_broker_it_says_what_is_missing(tmp_path: Path) -> None:
    port = free_ports()
    simulated = Simulated(compiled(copied(tmp_path, port)), "lighting")
    link = MqttLink("lighting", simulated.link.connection, simulated.link.bindings)
    server = MqttLinkServer(simulated.site, link, connect_within_s=0.3)
    with pytest.raises(OSError, match=rf"finds no MQTT broker at 127\.0\.0\.1 port {port}.*mosquitto -p {port}"):
        await server.open()


@pytest.mark.slow
async def test_a_second_simulator_that_finds_a_port_taken_tells_the_broker_nothing(tmp_path: Path) -> None:
    first = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with Mosquitto(tmp_path) as broker, first:
        simulated = Simulated(compiled(copied(tmp_path, broker.port)), "lighting")
        taken = ModbusLink("plant", "127.0.0.1", int(first.sockets[0].getsockname()[1]), [])
        with pytest.raises(OSError, match="cannot listen"):
            await serve(simulated.site, [served_link(simulated.link), taken], ready=lambda _: None)
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.subscribe("#")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(aiter(client.messages))
