"""A server in a process of its own: one plant, whose word is waited for, and nobody outlives the other."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pymodbus.constants import ExcCodes

from simulator.faults.fault import Fault
from simulator.process import serve
from simulator.servers.link import ModbusLink
from simulator.servers.link_process import ServerEnded
from simulator.servers.waiting_server import waiting_servers
from tests.wire.simulated_site import comes_true
from tests.wire.test_modbus_server import ADDRESSES, CHILLER, NONCE, binding, live, served

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

pytestmark = pytest.mark.wire


def processes(of: int) -> list[int]:
    """The processes of servers that a process has started."""
    children = Path(f"/proc/{of}/task/{of}/children").read_text().split()
    return [int(each) for each in children if b"server_process" in Path(f"/proc/{each}/cmdline").read_bytes()]


async def test_what_is_acknowledged_is_in_the_plant_and_faults_reach_the_server() -> None:
    site = live(speed=60.0)
    async with served(site, in_processes=True) as client:
        assert len(processes(os.getpid())) == 1
        for value in (True, False, True):
            assert not (await client.write_coil(0, value, device_id=1)).isError()
            assert site.read(f"{CHILLER}.remote") is value
            assert (await client.read_coils(0, count=1, device_id=1)).bits[0] is value
        refused = await client.write_register(0, 200, device_id=1)
        assert (refused.isError(), refused.exception_code) == (True, ExcCodes.ILLEGAL_VALUE)
        clock = (await client.read_input_registers(100, count=8, device_id=1)).registers
        assert client.convert_from_registers(clock[:4], client.DATATYPE.UINT64) == NONCE
        told = client.convert_from_registers(clock[4:], client.DATATYPE.INT64)
        assert told == pytest.approx(site.now.timestamp() * 1000.0, abs=60_000.0)

        swapped = Fault("word_order", "", site.now.timestamp(), points=tuple(ADDRESSES))
        site.add_fault(swapped)
        await comes_true(lambda: is_nonce(client, clock[3::-1]), "its words come in the other order")
        site.end_faults([swapped])
        await comes_true(lambda: is_nonce(client, clock[:4]), "it is mended")
    assert processes(os.getpid()) == []


async def is_nonce(client: AsyncModbusTcpClient, registers: Sequence[int]) -> bool:
    return [*(await client.read_input_registers(100, count=4, device_id=1)).registers] == [*registers]


def test_a_server_that_is_never_told_what_to_serve_ends_with_whoever_started_it() -> None:
    with waiting_servers([ModbusLink("plant", "127.0.0.1", 0, [])]) as waiting:
        server = waiting["plant"].process
        assert server.poll() is None
    assert server.returncode is not None


@pytest.mark.slow
async def test_a_server_that_dies_ends_the_simulator_with_a_word() -> None:
    def kill(ports: Mapping[str, int]) -> None:
        del ports
        (process,) = processes(os.getpid())
        os.kill(process, signal.SIGKILL)

    link = ModbusLink("plant", "127.0.0.1", 0, [binding(name, address) for name, address in ADDRESSES.items()])
    async with asyncio.timeout(20):
        with pytest.raises(ServerEnded, match="the process that serves link plant has ended"):
            await serve(live(), [link], ready=kill, in_processes=True)


@pytest.mark.slow
async def test_a_port_that_is_taken_is_told_from_the_process() -> None:
    async with asyncio.timeout(20):
        taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with taken:
            port = int(taken.sockets[0].getsockname()[1])
            link = ModbusLink("plant", "127.0.0.1", port, [binding(name, at) for name, at in ADDRESSES.items()])
            with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}"):
                await serve(live(), [link], ready=lambda _: None, in_processes=True)
