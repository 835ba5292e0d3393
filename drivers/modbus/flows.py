"""What a link takes of the network: one connection, or a serial line, and the blocks that are asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from controller.core.flow import PACKETS_OF_A_REQUEST, TCP_HEADERS, Flow, Polled, Transport
from drivers.modbus.address import BIT_TABLES
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.plan import Block, plan_reads

# A read and what surrounds its answer's data (Application Protocol V1.1b3, 6; Messaging on TCP/IP V1.0b, 3.1.2): 5 and
# 2 bytes, with the 7 of the MBAP header on TCP, with the unit and the 2 of the CRC on a serial line.
_READ_TCP = 5 + 7 + 2 + 7
_READ_RTU = 5 + 3 + 2 + 3


def flows(connection: ModbusConnection, polled: Sequence[Polled]) -> tuple[Flow, ...]:
    around = _READ_RTU if connection.is_rtu else _READ_TCP
    if not connection.serial:
        around += PACKETS_OF_A_REQUEST * TCP_HEADERS
    a_day = sum(each.times_a_day * sum(around + _data(block) for block in plan_reads(each.bindings)) for each in polled)
    if connection.serial:
        return (Flow(Transport.SERIAL, connection.serial, None, bytes_per_day=a_day),)
    return (Flow(Transport.TCP, connection.host, connection.port, bytes_per_day=a_day),)


def _data(block: Block) -> int:
    return (block.count + 7) // 8 if block.table in BIT_TABLES else 2 * block.count
