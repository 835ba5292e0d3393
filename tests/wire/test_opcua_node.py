"""The OPC UA driver against a server that nobody of Tidewatt wrote, over signed and encrypted channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from controller.core.errors import DeviceError, DeviceRefused
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
from controller.runtime.clock import RealClock
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
from drivers.opcua.certificates import REJECTED
from drivers.opcua.driver import OpcuaDriver
from tests.hand_clock import HandClock
from tests.wire.opcua_node_server import NodeServer, Papers, papers

pytestmark = [pytest.mark.wire, pytest.mark.system]

SUPPLY, SETPOINT, RUN, MODE, LABEL, COUNT = NAMES = (
    "SupplyTemperature",
    "Setpoint",
    "Run",
    "Mode",
    "Label",
    "Count",
)
_TYPES: Final = {RUN: ValueType.BOOLEAN, MODE: ValueType.TEXT, LABEL: ValueType.TEXT, COUNT: ValueType.INTEGER}
# A busy machine may keep Node waiting.
PATIENCE: Final = timedelta(seconds=20)


def point_id(name: str) -> PointId:
    return PointId(f"plant.chiller_1.{name.lower()}")


def bound(name: str) -> Binding[OpcuaAddress]:
    id = point_id(name)
    writable = Writable(Range(-1e6, 1e6), SafeValue(0), NothingHappens(), readback=id)
    point = Point(id, PointKind.SENSOR, Unit.NONE, _TYPES.get(name, ValueType.NUMBER), writable=writable)
    states = ("standby", "cooling", "heating") if name == MODE else ()
    return Binding(point, "chiller_1", OpcuaAddress(name, "nsu=urn:wire:plant;s=Chiller1.", states=states))


class Bench:
    """own: our papers, which the server trusts. connection: one that works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = papers(folder, "own", "urn:tidewatt:wire")
        self.server = NodeServer(folder, papers(folder, "server", "urn:wire:server"), [self.own.certificate])
        self.connection = OpcuaConnection(
            self.server.url,
            timeout=PATIENCE,
            publish_every=timedelta(milliseconds=200),
            **said_of(self.own),
            server_certificate=self.server.own.certificate.read_text(),
            user="tidewatt",
            password="right",
        )

    def driver(self, **other: Any) -> OpcuaDriver:
        connection = replace(self.connection, **other)
        return OpcuaDriver("link", connection, [bound(name) for name in NAMES], RealClock())


def said_of(own: Papers) -> dict[str, Any]:
    return {"certificate": own.certificate.read_text(), "private_key": own.private_key.read_text()}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One server for the tests that leave it as it was; starting it takes seconds."""
    bench = Bench(tmp_path_factory.mktemp("opcua"))
    bench.server.start()
    yield bench
    bench.server.kill()


async def values(driver: OpcuaDriver) -> dict[str, Scalar | None]:
    samples = await driver.read([point_id(name) for name in NAMES])
    return {name: samples[point_id(name)].value for name in NAMES}


async def told(changes: AsyncGenerator[Any], name: str, is_wanted: Callable[[Sample], bool]) -> Sample:
    """The first sample of the point that is wanted, of those that the server tells by itself."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        async for news in changes:
            sample = news.get(point_id(name))
            if sample is not None and is_wanted(sample):
                return sample
    raise AssertionError("the link ended")


async def test_encrypted_reads_writes_and_changes(started: Bench) -> None:
    async with started.driver() as driver, aclosing(driver.changes()) as changes:
        assert await values(driver) == {
            SUPPLY: 7.5,
            SETPOINT: 7.0,
            RUN: False,
            MODE: "cooling",
            LABEL: "north",
            COUNT: 3,
        }
        wishes: dict[str, Scalar] = {SETPOINT: 8.25, RUN: True, LABEL: "süd", COUNT: 255}
        results = await driver.write({point_id(name): value for name, value in wishes.items()})
        assert all(result.accepted for result in results.values()), results
        assert {name: (await values(driver))[name] for name in wishes} == wishes
        await asyncio.to_thread(started.server.set, SUPPLY, 6.75)
        assert (await told(changes, SUPPLY, lambda sample: sample.value == 6.75)).is_good
        await asyncio.to_thread(started.server.set, SUPPLY, 7.5)
        refused = (await driver.write({point_id(COUNT): 256}))[point_id(COUNT)]
        assert refused == (False, "256 is 256 in the server, and a Byte holds 0 to 255")
        await driver.write(
            {point_id(SETPOINT): 7.0, point_id(RUN): False, point_id(LABEL): "north", point_id(COUNT): 3}
        )


@pytest.mark.slow
async def test_a_bad_status_is_told_although_a_plausible_value_comes_with_it(started: Bench) -> None:
    async with started.driver() as driver, aclosing(driver.changes()) as changes:
        await asyncio.to_thread(started.server.set, SUPPLY, 7.25, "BadSensorFailure")
        sample = await told(changes, SUPPLY, lambda sample: not sample.is_good)
        assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "BadSensorFailure")
        await asyncio.to_thread(started.server.set, SUPPLY, 7.25, "UncertainLastUsableValue")
        sample = await told(changes, SUPPLY, lambda sample: sample.quality is Quality.UNCERTAIN)
        assert (sample.value, sample.reason) == (7.25, "UncertainLastUsableValue")
        await asyncio.to_thread(started.server.set, SUPPLY, 7.5)
        assert (await told(changes, SUPPLY, lambda sample: sample.is_good)).value == 7.5


@pytest.mark.slow
async def test_a_source_whose_clock_is_off_is_doubted(started: Bench) -> None:
    async with started.driver() as driver, aclosing(driver.changes()) as changes:
        await told(changes, SUPPLY, lambda sample: sample.is_good)
        late = datetime.now(UTC) - timedelta(minutes=10)
        await asyncio.to_thread(started.server.set, SUPPLY, 6.5, "Good", late)
        sample = await told(changes, SUPPLY, lambda sample: sample.value == 6.5)
        assert sample.quality is Quality.UNCERTAIN
        assert sample.reason.startswith("device clock is off by -60")
        await asyncio.to_thread(started.server.set, SUPPLY, 7.5)
        assert (await told(changes, SUPPLY, lambda sample: sample.value == 7.5)).is_good


@pytest.mark.slow
@pytest.mark.parametrize("security", ["sign", "sign_and_encrypt"])
@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"])
async def test_every_security_that_we_offer_works(started: Bench, security: str, policy: str) -> None:
    async with started.driver(security=security, policy=policy) as driver:
        assert (await values(driver))[SUPPLY] == 7.5


@pytest.mark.slow
async def test_the_keys_of_an_encrypted_channel_are_renewed(started: Bench) -> None:
    clock = HandClock(datetime.now(UTC))
    driver = OpcuaDriver("link", started.connection, [bound(name) for name in NAMES], clock)
    async with driver:
        for _ in range(3):
            clock.advance(1801.0)
            assert (await values(driver))[SUPPLY] == 7.5


async def refused(driver: OpcuaDriver) -> str:
    with pytest.raises(DeviceRefused) as caught:
        async with driver:
            pass
    return caught.value.cause


@pytest.mark.slow
@pytest.mark.parametrize("login", [{"password": "wrong"}, {"user": "nobody"}, {"user": "", "password": ""}])
async def test_wrong_users_are_refused_for_good(started: Bench, login: dict[str, str]) -> None:
    cause = await refused(started.driver(**login))
    assert cause.startswith("user or password is wrong (Bad" if login.get("user", "x") else "the server wants another ")


@pytest.mark.slow
async def test_a_server_that_is_not_trusted_is_refused_and_its_certificate_kept(started: Bench, tmp_path: Path) -> None:
    driver = started.driver(server_certificate="", trusted=str(tmp_path))
    cause = await refused(driver)
    (rejected,) = (tmp_path / REJECTED).iterdir()
    assert cause == (
        f"the server is not trusted; move rejected/{rejected.name} up into {tmp_path} if it is the right one"
    )
    rejected.rename(tmp_path / rejected.name)
    async with driver:
        assert (await values(driver))[SUPPLY] == 7.5


@pytest.mark.slow
async def test_a_server_that_does_not_trust_us_is_a_refusal(started: Bench, tmp_path: Path) -> None:
    stranger = papers(tmp_path, "stranger", "urn:tidewatt:stranger")
    cause = await refused(started.driver(**said_of(stranger)))
    assert cause.startswith("have the server trust our certificate (Bad")


@pytest.mark.slow
async def test_our_own_expired_certificate_is_not_even_shown(started: Bench, tmp_path: Path) -> None:
    expired = papers(tmp_path, "expired", "urn:tidewatt:expired", days=-1)
    assert (await refused(started.driver(**said_of(expired)))).startswith("our own certificate expired on ")


@pytest.mark.slow
async def test_a_name_that_is_not_in_our_certificate_is_told(started: Bench) -> None:
    cause = await refused(started.driver(application_uri="urn:somebody:else"))
    assert cause == "application_uri is not urn:tidewatt:wire, which our certificate names; leave it out"


@pytest.mark.slow
async def test_an_unencrypted_channel_is_refused_where_the_server_wants_none(started: Bench) -> None:
    connection = OpcuaConnection(started.server.url, timeout=PATIENCE)
    cause = await refused(OpcuaDriver("link", connection, [bound(SUPPLY)], RealClock()))
    assert cause == "the server wants another security (BadSecurityModeRejected)"


@pytest.mark.slow
async def test_an_expired_server_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.server.own = papers(tmp_path, "expired", "urn:wire:server", days=-1)
    bench.server.start()
    try:
        cause = await refused(bench.driver(server_certificate=bench.server.own.certificate.read_text()))
        assert cause.startswith("the server's certificate expired on ")
    finally:
        bench.server.kill()


@pytest.mark.slow
async def test_after_a_power_cut_the_server_is_subscribed_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.server.start()
    try:
        driver = bench.driver(timeout=timedelta(seconds=2))
        async with driver, aclosing(driver.changes()) as changes:
            assert (await values(driver))[SUPPLY] == 7.5
            bench.server.kill()
            with pytest.raises(DeviceError):
                await told(changes, SUPPLY, lambda _: False)
        with pytest.raises(DeviceError):
            async with driver:
                pass
        await asyncio.to_thread(bench.server.start)
        async with driver, aclosing(driver.changes()) as changes:
            await asyncio.to_thread(bench.server.set, SUPPLY, 6.25)
            assert (await told(changes, SUPPLY, lambda sample: sample.value == 6.25)).is_good
    finally:
        bench.server.kill()
