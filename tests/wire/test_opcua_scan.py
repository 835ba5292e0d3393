"""`scan opcua`: what is found on a server of our own that is hard to walk, and on one that nobody of us wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from asyncua import ua

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.errors import DeviceError
from controller.core.point import PointKind, ValueType
from drivers.opcua import SCAN
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
from drivers.opcua.certificates import REJECTED, own_identity
from tests.wire.opcua_device import Cell, Child, OpcuaDevice
from tests.wire.opcua_node_server import NodeServer, papers

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

T: Final = ua.VariantType
DEFAULTS: Final = {option.name: option.default for option in SCAN.options}


async def found_on(target: str, options: Mapping[str, str] | None = None) -> list[Found]:
    async with asyncio.timeout(60):
        return [each async for each in SCAN.discover(target, {**DEFAULTS, **(options or {})})]


def points_of(found: list[Found]) -> dict[str, FoundPoint]:
    return {f"{each.device}.{each.name}": each for each in found if isinstance(each, FoundPoint)}


@asynccontextmanager
async def plant() -> AsyncGenerator[OpcuaDevice]:
    """Objects: two chillers, of which the second holds the first as a friend; a variable of its own."""
    device = OpcuaDevice()
    unit: Any = ua.EUInformation("urn:units", 4408652, ua.LocalizedText("°C"), ua.LocalizedText("degree Celsius"))
    device.cells = {
        "ns=2;s=1.SupplyTemp": Cell(7.5, T.Double),
        "ns=2;s=1.Units": Cell(unit, T.ExtensionObject),
        "ns=2;s=1.Run": Cell(True, T.Boolean, refused="BadNotReadable"),
        "ns=2;s=1.Mode": Cell(1, T.Int32),
        "ns=2;s=1.Texts": Cell([ua.LocalizedText("off"), ua.LocalizedText("cooling")], T.LocalizedText),
        "ns=2;s=2.Limits.High": Cell(3, T.UInt16),
        "ns=2;s=2.Array": Cell([1.0, 2.0], T.Double),
        "ns=2;i=77": Cell("north", T.String),
    }
    device.children = {
        "i=85": [
            Child("i=2253", "Server"),
            Child("ns=2;s=1", "Chiller1"),
            Child("ns=2;s=2", "Chiller1"),
            Child("ns=2;s=3", "Secret"),
            Child("ns=2;i=77", "SiteName", is_variable=True),
        ],
        "ns=2;s=1": [
            Child("ns=2;s=1.SupplyTemp", "SupplyTemp", is_variable=True),
            Child("ns=2;s=1.Run", "Run", is_variable=True),
            Child("ns=2;s=1.Mode", "Mode", is_variable=True),
            Child("ns=2;s=1.Serial", "SerialNumber", is_variable=True, reference=46),
        ],
        "ns=2;s=1.SupplyTemp": [Child("ns=2;s=1.Units", "EngineeringUnits", is_variable=True, reference=46)],
        "ns=2;s=1.Mode": [Child("ns=2;s=1.Texts", "EnumStrings", is_variable=True, reference=46)],
        "ns=2;s=2": [
            Child("ns=2;s=2.Limits", "Limits"),
            Child("ns=2;s=2.Array", "Array", is_variable=True),
            Child("ns=2;s=1", "Friend"),
        ],
        "ns=2;s=2.Limits": [
            Child("ns=2;s=2.Limits.High", "HighHigh Alarm", is_variable=True),
            Child("ns=2;s=2", "Parent"),
        ],
    }
    device.refused_browsing.add("ns=2;s=3")
    await device.start()
    try:
        yield device
    finally:
        await device.stop()


async def test_every_variable_is_found_once_with_what_it_says_of_itself() -> None:
    async with plant() as device:
        found = await found_on(device.url)
    assert points_of(found) == {
        "server.site_name": FoundPoint(
            "server", "site_name", PointKind.SETPOINT, ValueType.TEXT, "none",
            {"node": "nsu=urn:plant;i=77"}, "SiteName", "north",
        ),
        "chiller1.supply_temp": FoundPoint(
            "chiller1", "supply_temp", PointKind.SETPOINT, ValueType.NUMBER, "degC",
            {"node": "nsu=urn:plant;s=1.SupplyTemp"}, "SupplyTemp [°C]", "7.5",
        ),
        "chiller1.run": FoundPoint(
            "chiller1", "run", PointKind.STATUS, ValueType.BOOLEAN, "none",
            {"node": "nsu=urn:plant;s=1.Run"}, "Run", "BadNotReadable",
        ),
        "chiller1.mode": FoundPoint(
            "chiller1", "mode", PointKind.SETPOINT, ValueType.TEXT, "none",
            {"node": "nsu=urn:plant;s=1.Mode", "states": ["off", "cooling"]}, "Mode", "cooling", ("off", "cooling"),
        ),
        "chiller1_2.limits_high_high_alarm": FoundPoint(
            "chiller1_2", "limits_high_high_alarm", PointKind.SETPOINT, ValueType.INTEGER, "none",
            {"node": "nsu=urn:plant;s=2.Limits.High"}, "Limits/HighHigh Alarm", "3",
        ),
    }  # fmt: skip
    assert [each for each in found if isinstance(each, NoAnswer)] == [NoAnswer("Secret", "BadUserAccessDenied")]


async def test_a_device_comes_before_its_points_and_says_what_the_site_file_needs() -> None:
    async with plant() as device:
        found = await found_on(device.url)
        told: set[str] = set()
        for each in found:
            if isinstance(each, FoundDevice):
                told.add(each.id)
                assert OpcuaConnection(**dict[str, Any](each.connection)) == OpcuaConnection(device.url)
            elif isinstance(each, FoundPoint):
                assert each.device in told
                said: dict[str, Any] = {**each.address, "states": each.states}
                assert OpcuaAddress(**said).key
        titles = {each.id: each.title for each in found if isinstance(each, FoundDevice)}
        assert titles == {
            "server": "device: none",
            "chiller1": "Chiller1 on device: none",
            "chiller1_2": "Chiller1 on device: none",
        }


async def test_a_scan_may_start_further_down() -> None:
    async with plant() as device:
        found = await found_on(device.url, {"from": "nsu=urn:plant;s=2"})
        assert {point.title for point in points_of(found).values()} >= {"HighHigh Alarm"}
        with pytest.raises(ValueError, match="the server has no namespace urn:other; it has urn:device, urn:plant"):
            await found_on(device.url, {"from": "nsu=urn:other;s=2"})


async def test_an_address_space_without_a_bottom_is_left_in_time() -> None:
    async with plant() as device:
        for depth in range(40):
            name = f"ns=2;s=1{'.x' * (depth + 1)}"
            device.cells[f"{name}.v"] = Cell(depth, T.Int32)
            children = device.children.setdefault(name.removesuffix(".x"), [])
            children += [Child(name, "x"), Child(f"{name}.v", f"v{depth}", is_variable=True)]
        found = points_of(await found_on(device.url))
    deepest = max(point.title.count("/") for point in found.values())
    assert 5 < deepest < 20


async def test_a_server_that_lets_nobody_in_still_says_what_it_offers() -> None:
    async with plant() as device:
        device.activation = "BadIdentityTokenInvalid"
        found = await found_on(device.url)
    assert found == [
        FoundDevice("server", {"url": device.url}, {}, "device: none"),
        NoAnswer("its nodes", "the server wants another kind of login (BadIdentityTokenInvalid)"),
    ]


async def test_what_was_found_before_the_link_was_lost_stays() -> None:
    async with plant() as device:
        found: list[Found] = []
        async for each in SCAN.discover(device.url, DEFAULTS):
            found.append(each)
            if isinstance(each, FoundPoint):
                await device.stop()
        assert len(points_of(found)) == 1
        assert isinstance(found[-1], NoAnswer)
        with pytest.raises(DeviceError):
            await found_on(device.url)


@pytest.mark.parametrize(
    "target, options, right",
    [
        ("http://10.0.0.1", {}, r"opc\.tcp://10"),
        ("opc.tcp://", {}, r"opc\.tcp://10"),
        ("127.0.0.1", {"from": "Chiller1"}, "ns=2;s="),
        ("127.0.0.1", {"security": "some"}, "none, sign, sign_and_encrypt"),
        ("127.0.0.1", {"certificate": "/nowhere.pem"}, "give a text file"),
        ("127.0.0.1", {"security": "sign"}, "certificate and private_key"),
    ],
)
async def test_what_cannot_be_asked_is_told_with_what_would_be_right(
    target: str, options: dict[str, str], right: str
) -> None:
    with pytest.raises(ValueError, match=right):
        await found_on(target, options)


async def test_a_scan_makes_our_certificate_where_there_is_none(tmp_path: Path) -> None:
    certificate, key = tmp_path / "opcua.pem", tmp_path / "opcua.key.pem"
    options = {"certificate": str(certificate), "private-key": str(key), "trusted": str(tmp_path)}
    async with plant() as device:
        *_, refusal = await found_on(device.url, options)
        assert refusal == NoAnswer("its nodes", "the server does not offer sign_and_encrypt with Basic256Sha256")
        made = certificate.read_text(), key.read_text()
        await found_on(device.url, options)
        assert (certificate.read_text(), key.read_text()) == made
    assert own_identity(made[0], made[1], datetime.now(UTC)).application_uri.endswith(":tidewatt")
    with pytest.raises(ValueError, match="cannot be made"):
        await found_on("127.0.0.1", {**options, "certificate": str(tmp_path / "x" / "y"), "private-key": "/nowhere/z"})


@pytest.mark.slow
@pytest.mark.system
async def test_a_signed_and_encrypted_server_is_scanned_once_it_is_trusted(tmp_path: Path) -> None:
    own = papers(tmp_path, "own", "urn:tidewatt:wire")
    server = NodeServer(tmp_path, papers(tmp_path, "server", "urn:wire:server"), [own.certificate])
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (tmp_path / "password").write_text("right\n")
    options = {
        "certificate": str(own.certificate),
        "private-key": str(own.private_key),
        "trusted": str(trusted),
        "user": "tidewatt",
        "password-file": str(tmp_path / "password"),
    }
    server.start()
    try:
        device, refusal = await found_on(server.url, options)
        assert isinstance(device, FoundDevice)
        assert "; sign_and_encrypt with Basic256Sha256, " in device.title
        assert device.connection["private_key"] == {"!file": str(own.private_key)}
        assert isinstance(refusal, NoAnswer)
        assert refusal.cause.startswith("the server is not trusted; move rejected/")
        (rejected,) = (trusted / REJECTED).iterdir()
        rejected.rename(trusted / rejected.name)
        points = points_of(await found_on(server.url, options))
    finally:
        server.kill()
    shown = {name: (point.unit, point.value, point.states) for name, point in points.items()}
    assert shown == {
        "chiller1.supply_temperature": ("degC", "7.5", ()),
        "chiller1.setpoint": ("none", "7", ()),
        "chiller1.run": ("none", "False", ()),
        "chiller1.mode": ("none", "cooling", ("standby", "cooling", "heating")),
        "chiller1.label": ("none", "north", ()),
        "chiller1.count": ("none", "3", ()),
    }
