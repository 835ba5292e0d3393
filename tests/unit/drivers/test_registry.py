"""Which drivers there are, and what naming one costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from controller.core.ports import Address
from drivers import DRIVERS, driver_kind
from drivers._blueprint import LineAddress
from drivers.memory import MemoryAddress
from drivers.modbus.address import ModbusAddress


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_every_registered_driver_is_there_under_its_name(name: str) -> None:
    assert driver_kind(name).name == name


def test_naming_modbus_does_not_load_its_library() -> None:
    program = (
        "import sys; from drivers import driver_kind; driver_kind('modbus'); "
        "sys.exit(any(name.partition('.')[0] in ('pymodbus', 'pydantic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_every_address_is_an_address() -> None:
    addresses: list[Address] = [MemoryAddress(), LineAddress("cell"), ModbusAddress(1, "coil", 0)]
    assert all(address.can_write for address in addresses)
    assert len({address.key for address in addresses}) == len(addresses)
