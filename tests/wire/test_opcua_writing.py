"""The OPC UA driver writes in the type of the node, or says why it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from asyncua import ua

from controller.core.point import PointId
from controller.core.sample import Scalar
from tests.wire.opcua_bench import T, bound, running
from tests.wire.opcua_device import Cell

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


@pytest.mark.parametrize(
    "type, value, taken",
    [
        (T.Boolean, 1, True),
        (T.Byte, 200.0, 200),
        (T.SByte, -3, -3),
        (T.UInt16, 65535, 65535),
        (T.Int32, -70000.0, -70000),
        (T.UInt64, 2**53 + 1, 2**53 + 1),
        (T.Float, 0.5, 0.5),
        (T.Double, 7, 7.0),
    ],
)
async def test_a_value_is_written_in_the_nodes_own_type(type: ua.VariantType, value: float, taken: object) -> None:
    async with running(bound("one")) as bench:
        bench.device.cells["ns=2;s=one"] = Cell(0, type)
        result = (await bench.driver.write({PointId("a.b.one"): value}))[PointId("a.b.one")]
        assert result == (True, "")
        assert (bench.cell("one").value, bench.cell("one").type) == (taken, type)


async def test_a_node_that_holds_nothing_yet_is_written_in_its_declared_type() -> None:
    async with running(bound("one")) as bench:
        identifier: Any = 6
        bench.device.cells["ns=2;s=one"] = Cell(None, T.Null, data_type=ua.NodeId(identifier))
        assert (await bench.driver.write({PointId("a.b.one"): 3.0}))[PointId("a.b.one")].accepted
        assert (bench.cell("one").value, bench.cell("one").type) == (3, T.Int32)


async def test_a_node_that_changed_its_type_is_written_the_second_time() -> None:
    async with running(bound("one")) as bench:
        one = PointId("a.b.one")
        await bench.driver.write({one: 3.0})
        bench.device.cells["ns=2;s=one"] = Cell(0, T.Int32)
        assert (await bench.driver.write({one: 4.0}))[one] == (False, "refused: BadTypeMismatch")
        assert (await bench.driver.write({one: 4.0}))[one].accepted


@pytest.mark.parametrize(
    "cell, value, reason",
    [
        (Cell(0, T.Byte), 256, "256 is 256 in the server, and a Byte holds 0 to 255"),
        (Cell(0, T.UInt16), -1.0, "-1.0 is -1 in the server, and a UInt16 holds 0 to 65535"),
        (Cell(0.0, T.Float), 1e39, "1e+39 is 1e+39 in the server, which a Float cannot hold"),
        (Cell(True, T.Boolean), 2, "2 is neither on nor off"),
        (Cell([1.0], T.Double), 2, "the node holds an array, not one value"),
        (Cell("", T.String), 2, "2 is no text, as String is"),
        (Cell(0, T.Int16, refused="BadNotReadable"), 2, "refused: BadUserAccessDenied"),
        (Cell(0, T.Int16), None, "OPC UA has nothing to relinquish to: declare a remote bit or a safe value"),
    ],
)
async def test_what_cannot_be_written_is_told_in_words(cell: Cell, value: Scalar | None, reason: str) -> None:
    async with running(bound("one")) as bench:
        bench.device.cells["ns=2;s=one"] = replace(cell, data_type=ua.NodeId(Int16))
        before = cell.value
        assert (await bench.driver.write({PointId("a.b.one"): value}))[PointId("a.b.one")] == (False, reason)
        assert bench.cell("one").value == before


Int16: Final[Any] = 4
