"""History on its way to InfluxDB: Debian's VictoriaMetrics takes it, and servers that misbehave do no harm."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.core.errors import HistorianError, RecordsRefused, RemoteUnreachable
from controller.core.event import Event, EventKind
from controller.core.point import Point, PointId, PointKind
from controller.core.ports import Phase, RecordedSample
from controller.core.sample import Scalar, bad, good
from controller.core.site import InfluxDatabase
from controller.core.units import Unit
from controller.historian.influx import InfluxHistorian
from controller.historian.memory import MemoryHistorian
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.forwarder import Forwarder
from controller.runtime.journal import Journal
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, Bench
from tests.site_processes import LOOK_EVERY_S, PATIENCE_S
from tests.wire.http_server import HttpServer, answer
from tests.wire.victoria_metrics import VictoriaMetrics

pytestmark = [pytest.mark.wire, pytest.mark.slow]

POWER = PointId("plant.chiller_1.power")
STATUS = PointId("plant.chiller_1.status")
MODE = PointId("plant.chilled_water_plant_1.mode")
POINTS = {
    POWER: Point(POWER, PointKind.SENSOR, Unit.KILOWATT),
    STATUS: Point(STATUS, PointKind.STATUS, Unit.NONE),
    MODE: Point(MODE, PointKind.SETPOINT, Unit.NONE),
}
START = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
TOKEN = "a-token-that-nobody-may-see"


def row(point: PointId, value: Scalar, seconds: float = 0.0) -> RecordedSample:
    return (point, good(value, START + timedelta(seconds=seconds), seconds))


def influx(url: str, request_timeout: float = 10.0) -> InfluxHistorian:
    return InfluxHistorian(InfluxDatabase(url, "estate", "tidewatt", TOKEN), "Riverside tower", POINTS, request_timeout)


async def until(condition: Callable[[], object]) -> None:
    """Look again and again: what a test waits for is another process or socket."""
    clock = RealClock()
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await clock.sleep_until(clock.monotonic() + LOOK_EVERY_S, Phase.RECORD, "test")


@contextlib.asynccontextmanager
async def running(forwarder: Forwarder) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(forwarder.run())
        yield
        task.cancel()
    await forwarder.close()


# --- the real one -----------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    server = VictoriaMetrics(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.mark.system
async def test_what_was_sent_can_be_read_back(database: VictoriaMetrics) -> None:
    remote = influx(database.url)
    lost = (POWER, bad("device lost", START + timedelta(seconds=2), 2.0))
    event = Event(START, EventKind.ALARM, POWER, {"alarm": "effect missing", "note": 'says "no"\nand more'})
    sent = await remote.append([row(POWER, 312.5), row(POWER, 0.1, 1), lost, row(STATUS, True), row(MODE, "冷"), event])
    await remote.close()
    assert sent == 6
    assert database.stored("tidewatt_value", point=POWER) == [(START_MS, 312.5), (START_MS + 1000, 0.1)]
    assert [value for _, value in database.stored("tidewatt_quality", point=POWER)] == [0, 0, 2]
    tags = {"area": "plant", "equipment": "chiller_1", "quantity": "power", "unit": "kW", "kind": "sensor"}
    assert len(database.stored("tidewatt_value", site="Riverside tower", **tags)) == 2
    assert database.stored("tidewatt_value", point=STATUS) == [(START_MS, 1.0)]
    assert len(database.stored("tidewatt_text", point=MODE)) == 1
    assert len(database.stored("tidewatt_event_body", kind="alarm", subject=POWER)) == 1


@pytest.mark.slow
@pytest.mark.system
async def test_what_it_did_not_hear_while_it_was_down_arrives_later(database: VictoriaMetrics) -> None:
    journal = Journal(RealClock(), "digest")
    forwarder = Forwarder(influx(database.url), journal)
    async with running(forwarder):
        forwarder.offer(row(POWER, float(n), n) for n in range(10))
        await until(lambda: forwarder.sent == 10)
        database.stop()
        forwarder.offer(row(POWER, float(n), n) for n in range(10, 20))
        await until(lambda: forwarder.trouble)
        assert forwarder.pending >= 10
        database.start()
        await until(lambda: not forwarder.pending)
    assert database.stored("tidewatt_value", point=POWER) == [(START_MS + n * 1000, float(n)) for n in range(20)]
    assert [event.body["state"] for event in journal.recent] == ["lost", "back"]
    assert forwarder.dropped == forwarder.refused == 0


@pytest.mark.system
async def test_stopping_it_in_the_middle_changes_nothing_but_a_counter(
    database: VictoriaMetrics, tmp_path: Path
) -> None:
    bench = Bench(tmp_path)
    site = replace(bench.site(), scan_every=timedelta(milliseconds=100))
    clock, historian, stop = RealClock(), MemoryHistorian(), asyncio.Event()
    remote = InfluxHistorian(InfluxDatabase(database.url, "estate", "tidewatt"), site.name, site.points)
    daemon = Daemon(site, clock, historian, Store(None, clock), Surroundings(remote=remote))
    forwarder = daemon.forwarder
    assert forwarder is not None
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(daemon.run(stop))
        await until(lambda: forwarder.sent and bench.plant.lights.value(BRIGHTNESS) == 0.5)
        database.stop()
        bench.plant.lights.set(DEMAND, 0.8)
        await until(lambda: forwarder.trouble and bench.plant.lights.value(BRIGHTNESS) == 0.8)
        scans = daemon.scan.count
        await until(lambda: daemon.scan.count > scans + 5)
        assert daemon.recorder.dropped == 0
        assert forwarder.pending > 0
        stop.set()
        assert await life is True
    assert bench.plant.lights.value(LAMP_REMOTE) is False


# --- servers that misbehave -------------------------------------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncGenerator[HttpServer]:
    server = HttpServer()
    await server.start()
    yield server
    await server.stop()


async def failure(server: HttpServer, request_timeout: float = 10.0) -> HistorianError:
    remote = influx(server.url, request_timeout)
    with pytest.raises(HistorianError) as raised:
        await remote.append([row(POWER, 1.0)])
    await remote.close()
    return raised.value


async def test_a_request_is_what_the_write_api_asks_for(server: HttpServer) -> None:
    remote = influx(server.url)
    assert await remote.append([row(POWER, 1.5)]) == 1
    await remote.close()
    (head,), (body,) = server.heads, server.bodies
    assert head.startswith("POST /api/v2/write?org=estate&bucket=tidewatt&precision=us HTTP/1.1")
    assert f"Authorization: Token {TOKEN}" in head
    assert body == (
        "tidewatt,area=plant,equipment=chiller_1,kind=sensor,point=plant.chiller_1.power,quantity=power,"
        f"site=Riverside\\ tower,unit=kW value=1.5,quality=0i {START_MS * 1000}"
    )


@pytest.mark.parametrize(
    "told, words",
    [
        (answer(401, b'{"code":"unauthorized","message":"unauthorized access"}'), "401: the token is refused"),
        (answer(403), "403: the token may not write to this bucket"),
        (answer(404, b'{"message":"bucket not found"}'), "404: there is no such organisation, bucket or API"),
        (answer(500, b'{"message":"out of memory"}'), "500: out of memory"),
        (answer(502, b"<html>\n<h1>Bad\tGateway</h1>"), "502: "),
        (answer(503, b"\xff\xfe\x00"), "503: "),
        (answer(301, b"", "Location: http://127.0.0.1:1/"), "301: "),
        (answer(200, b"<html>some other server</html>"), "no InfluxDB"),
        (b"SSH-2.0-nothing of this kind\r\n\r\n", ""),
    ],
)
async def test_trouble_that_may_pass_is_tried_again(server: HttpServer, told: bytes, words: str) -> None:
    server.answer = told
    error = await failure(server)
    assert isinstance(error, RemoteUnreachable)
    assert words in str(error)
    assert str(error)
    assert "\n" not in str(error)


async def test_a_busy_server_says_when_to_come_again(server: HttpServer) -> None:
    server.answer = answer(503, b"", "Retry-After: 7")
    error = await failure(server)
    assert isinstance(error, RemoteUnreachable)
    assert error.ask_again_after == 7


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_it_will_never_take_is_not_sent_again(server: HttpServer, status: int) -> None:
    server.answer = answer(status, json.dumps({"code": "invalid", "message": "partial write: dropped=1"}).encode())
    error = await failure(server)
    assert isinstance(error, RecordsRefused)
    assert "partial write: dropped=1" in str(error)


async def test_a_slow_server_is_given_up(server: HttpServer) -> None:
    server.hang()
    error = await failure(server, request_timeout=0.2)
    assert isinstance(error, RemoteUnreachable)
    assert "no answer within 0.2 s" in str(error)


async def test_a_server_that_hangs_up(server: HttpServer) -> None:
    server.hang()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(failure(server))
        await server.asked.wait()
        await server.stop()
    assert isinstance(asking.result(), RemoteUnreachable)


async def test_a_server_that_is_not_there(server: HttpServer) -> None:
    await server.stop()
    assert isinstance(await failure(server), RemoteUnreachable)


async def test_a_host_that_does_not_exist() -> None:
    remote = influx("http://influx.invalid:8086")
    with pytest.raises(RemoteUnreachable):
        await remote.append([row(POWER, 1.0)])
    await remote.close()


async def test_no_server_gets_the_token_told(server: HttpServer) -> None:
    server.answer = answer(500, json.dumps({"message": f"the token {TOKEN} is nothing to me"}).encode())
    assert TOKEN not in str(await failure(server))


@pytest.mark.slow
async def test_a_batch_that_hangs_is_given_up_at_the_end(server: HttpServer) -> None:
    server.hang()
    forwarder = Forwarder(influx(server.url), Journal(RealClock(), "digest"))
    async with asyncio.timeout(PATIENCE_S), running(forwarder):
        forwarder.offer([row(POWER, 1.0)])
        await server.asked.wait()
    assert forwarder.pending == 1
