"""The sun clock over real HTTP: a robot that takes, fails and refuses, and staff who answer by the link."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from controller.core.errors import EnvironmentProblem
from controller.core.lamp_messages import LampMessages
from controller.core.ports import Phase
from controller.core.site import Site
from controller.core.strategy import Position
from controller.core.terrain import dark_limit
from controller.historian.memory import MemoryHistorian
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.letting_go import nobody_watches
from controller.runtime.store import Store
from controller.sunclock.answers import serve
from controller.sunclock.daily import DailyMessages
from controller.sunclock.places import Place
from controller.sunclock.pushing import Answering, escalate, push
from controller.sunclock.robot import Robot, text
from controller.sunclock.sun_times import Day, day, timelines
from controller.sunclock.tasks import Asked, Tasks
from tests.changed_bench import ChangedBench
from tests.wire.http_server import HttpServer, answer

pytestmark = pytest.mark.wire

TAKEN = answer(200, b'{"errcode":0,"errmsg":"ok"}')
DUE = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
async def robot_server() -> AsyncIterator[HttpServer]:
    server = HttpServer()
    server.answer = TAKEN
    await server.start()
    yield server
    await server.stop()


def robot(server: HttpServer) -> Robot:
    return Robot(f"{server.url}/cgi-bin/webhook/send?key=not-to-be-told", RealClock(), (0.01, 0.01))


def shanghai() -> list[Day]:
    place = Place("Estate", "小区", ZoneInfo("Asia/Shanghai"), Position(31.23, 121.47), dark_limit(30.0))
    return [day(timeline, 0) for timeline in timelines([place], date(2026, 3, 20), 2)]


async def refusal(server: HttpServer) -> str:
    with pytest.raises(EnvironmentProblem) as refused:
        await robot(server).deliver([text("one"), text("two")])
    assert "not-to-be-told" not in str(refused.value)
    return str(refused.value)


async def test_a_robot_that_is_down_is_tried_again_and_then_told(robot_server: HttpServer) -> None:
    robot_server.answer = answer(503)
    assert await refusal(robot_server) == (
        "the robot at 127.0.0.1: answered 503 (tried 3 times); 0 of 2 messages were sent"
    )
    assert len(robot_server.bodies) == 3
    await robot_server.stop()
    assert "not reached (" in await refusal(robot_server)
    assert len(robot_server.bodies) == 3


class BusyAtFirst(HttpServer):
    def receive(self, buffer: bytearray, reply: Callable[[bytes], None]) -> None:
        self.answer = TAKEN if self.bodies else answer(200, b'{"errcode":45009,"errmsg":"api freq out of limit"}')
        super().receive(buffer, reply)


async def test_a_robot_that_is_busy_is_tried_again() -> None:
    server = BusyAtFirst()
    await server.start()
    await robot(server).deliver([text("one"), text("two")])
    assert [json.loads(body)["text"]["content"] for body in server.bodies] == ["one", "one", "two"]
    await server.stop()


class Waits(RealClock):
    """Notes how long it was asked to sleep, and does not."""

    def __init__(self) -> None:
        self.noted: list[float] = []

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        self.noted.append(round(deadline - self.monotonic()))


async def test_a_robot_gets_no_more_messages_a_minute_than_it_takes(robot_server: HttpServer) -> None:
    clock = Waits()
    one = Robot(robot_server.url, clock)
    await one.deliver([text("text")] * 10)
    await one.deliver([text("picture")] * 10)
    assert clock.noted == [60.0]
    assert len(robot_server.bodies) == 20


async def test_a_robot_that_is_down_is_given_two_minutes(robot_server: HttpServer) -> None:
    robot_server.answer = answer(500)
    clock = Waits()
    with pytest.raises(EnvironmentProblem, match="tried 4 times"):
        await Robot(robot_server.url, clock).deliver([text("one")])
    assert clock.noted == [2.0, 8.0, 30.0]


@pytest.mark.parametrize(
    "said, told",
    [
        (answer(200, b'{"errcode":93000,"errmsg":"invalid webhook url"}'), "refused it with errcode 93000"),
        (answer(404), "answered 404"),
        (answer(200, b"<html>a portal</html>"), "its answer is not a robot's"),
        (answer(302, b"", "Location: http://127.0.0.1:1/"), "answered 302"),
    ],
)
async def test_what_trying_again_would_not_help_is_told(robot_server: HttpServer, said: bytes, told: str) -> None:
    robot_server.answer = said
    assert told in await refusal(robot_server)


@pytest.mark.system
@pytest.mark.slow  # librsvg reads the machine's fonts
async def test_text_and_picture_arrive_in_the_robots_form(robot_server: HttpServer, tmp_path: Path) -> None:
    tasks = Tasks(tmp_path / "tasks.db", make=True)
    answering = Answering(tasks, "https://lamps.example.org", timedelta(hours=2))
    assert await push(shanghai(), 30.0, robot(robot_server), RealClock(), answering, markdown=True) == 2
    said, picture = (json.loads(body) for body in robot_server.bodies)
    assert robot_server.heads[0].startswith("POST /cgi-bin/webhook/send?key=not-to-be-told ")
    assert said["msgtype"] == "markdown"
    (task,) = tasks.undone()
    assert f"](https://lamps.example.org/done/{task.word})" in said["markdown"]["content"]
    assert task.sent is not None
    image = base64.b64decode(picture["image"]["base64"], validate=True)
    assert image.startswith(b"\x89PNG\r\n")
    assert picture["image"]["md5"] == hashlib.md5(image, usedforsecurity=False).hexdigest()


async def test_the_text_arrives_although_no_picture_can_be_made(
    robot_server: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tasks = Tasks(tmp_path / "tasks.db", make=True)
    answering = Answering(tasks, "https://lamps.example.org", timedelta(hours=2))
    with pytest.raises(EnvironmentProblem, match="no picture: rsvg-convert is not installed"):
        await push(shanghai(), 30.0, robot(robot_server), RealClock(), answering, markdown=False)
    (said,) = (json.loads(body) for body in robot_server.bodies)
    (task,) = tasks.undone()
    assert f"https://lamps.example.org/done/{task.word}" in said["text"]["content"]
    assert task.sent is not None


async def test_what_was_not_sent_stays_listed(robot_server: HttpServer, tmp_path: Path) -> None:
    robot_server.answer = answer(500)
    tasks = Tasks(tmp_path / "tasks.db", make=True)
    answering = Answering(tasks, "https://lamps.example.org", timedelta(hours=2))
    with pytest.raises(EnvironmentProblem, match="answered 500"):
        await push(shanghai(), 30.0, robot(robot_server), RealClock(), answering, markdown=False)
    (task,) = tasks.undone()
    assert task.sent is None


async def test_undone_tasks_are_escalated_once(robot_server: HttpServer, tmp_path: Path) -> None:
    tasks = Tasks(tmp_path / "tasks.db", make=True)
    made = tasks.ask([Asked(name, date(2026, 3, 20), "on 18:20") for name in ("East", "West", "North")], DUE)
    tasks.answer(made[0].word, DUE, "Li")
    assert await escalate(tasks, robot(robot_server), RealClock()) == 2
    (body,) = robot_server.bodies
    said: str = json.loads(body)["text"]["content"]
    assert "West" in said
    assert "East" not in said
    assert made[1].word not in said
    assert await escalate(tasks, robot(robot_server), RealClock()) == 0


async def test_an_escalation_that_fails_is_made_again(robot_server: HttpServer, tmp_path: Path) -> None:
    tasks = Tasks(tmp_path / "tasks.db", make=True)
    tasks.ask([Asked("East", date(2026, 3, 20), "on 18:20")], DUE)
    robot_server.answer = answer(500)
    with pytest.raises(EnvironmentProblem):
        await escalate(tasks, robot(robot_server), RealClock())
    robot_server.answer = TAKEN
    assert await escalate(tasks, robot(robot_server), RealClock()) == 1


# --- by the daemon ----------------------------------------------------------------------------------------------------


class DueBench(ChangedBench):
    """Its messages are due at any time of the day."""

    to = ""

    def change(self, site: Site) -> Site:
        return replace(
            site, lamp_messages=LampMessages(self.tmp_path / "places.csv", time(0), self.to, 30.0, has_pictures=False)
        )


class Looking(RealClock):
    """looked: the sun clock has done what was due, and waits."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = asyncio.Event()

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        if name == "sun clock":
            self.looked.set()
        await super().sleep_until(deadline, phase, name)


@pytest.mark.slow
async def test_the_daemon_sends_the_days_times_made_in_its_worker_process(
    robot_server: HttpServer, tmp_path: Path
) -> None:
    (tmp_path / "places.csv").write_text("name,latitude,longitude,time_zone\nEast,31.2,121.5,Asia/Shanghai\n")
    bench = DueBench(tmp_path)
    bench.to = f"{robot_server.url}/send?key=not-to-be-told"
    for _ in ("sends", "has sent"):
        clock = Looking()
        daemon = Daemon(bench.site(), clock, MemoryHistorian(), Store(tmp_path / "store.db", clock))
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(daemon.run(stop, nobody_watches, DailyMessages(daemon).run()))
            async with asyncio.timeout(30):
                await clock.looked.wait()
            stop.set()
            await running
        (said,) = (json.loads(body) for body in robot_server.bodies)
        assert "East" in said["markdown"]["content"]


# --- answers ----------------------------------------------------------------------------------------------------------


class Page:
    """The server of answers, as a telephone sees it."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self._address = f"http://127.0.0.1:{port}/done/"
        self._session = session

    async def look(self, word: str) -> tuple[int, str]:
        async with self._session.get(self._address + word) as response:
            return response.status, await response.text()

    async def press(self, word: str, who: str = "") -> tuple[int, str]:
        async with self._session.post(self._address + word, data={"who": who}) as response:
            return response.status, await response.text()


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return Tasks(tmp_path / "tasks.db", make=True)


@pytest.fixture
async def page(tasks: Tasks) -> AsyncIterator[Page]:
    stop, bound = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(tasks, RealClock(), "127.0.0.1", 0, stop, bound.set_result))
    async with aiohttp.ClientSession() as session:
        yield Page(await asyncio.wait_for(bound, 10.0), session)
    stop.set()
    await serving


async def test_staff_answer_by_the_button_not_by_opening_the_link(tasks: Tasks, page: Page) -> None:
    (task,) = tasks.ask([Asked("East <1>", date(2026, 3, 20), "on 18:20")], DUE)
    status, shown = await page.look(task.word)
    assert status == 200
    assert "East &lt;1&gt;" in shown
    assert re.search(r"<button>Done · 完成</button>", shown)
    assert tasks.undone() == [task]
    status, shown = await page.press(task.word, "Li  Lei " + "x" * 99)
    assert (status, "已登记完成" in shown) == (200, True)
    done: Any = tasks.find(task.word)
    assert done.done is not None
    assert done.who == ("Li Lei " + "x" * 99)[:40]
    await page.press(task.word, "another")
    assert tasks.find(task.word) == done
    assert tasks.undone() == []
    assert "<button>" not in (await page.look(task.word))[1]


async def test_nobody_guesses_a_link(tasks: Tasks, page: Page) -> None:
    (task,) = tasks.ask([Asked("East", date(2026, 3, 20), "on 18:20")], DUE)
    assert len(task.word) >= 22
    for word in (task.word[:-1], task.word + "x", "%27%20OR%201=1", "1"):
        assert (await page.look(word))[0] == 404
        assert (await page.press(word))[0] == 404
    assert tasks.undone() == [task]
    assert (await page.press(task.word, "x" * 10_000))[0] == 413
    assert tasks.undone() == [task]


# --- the commands -----------------------------------------------------------------------------------------------------


async def tidewatt(*arguments: str, **environment: str) -> tuple[int | None, str]:
    """A process of its own: what it ends with, and what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller.app", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()


@pytest.mark.slow
@pytest.mark.system
async def test_pushed_answered_and_escalated_by_commands(robot_server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text(
        "name,latitude,longitude,time_zone\nEast,31.2,121.5,Asia/Shanghai\nWest,43.8,87.6,Asia/Shanghai\n"
    )
    (tmp_path / "robot").write_text(f"{robot_server.url}/send?key=not-to-be-told\n")
    file = f"{tmp_path}/tasks.db"
    reference = ("--push", f"file:{tmp_path}/robot", "--answers", "http://127.0.0.1:1", "--answer-within", "0s")
    pushing = ("sunclock", f"{tmp_path}/places.csv", "--date", "2026-03-20", *reference, "--tasks", file)

    robot_server.answer = answer(404)
    code, told = await tidewatt(*pushing)
    assert (code, "answered 404" in told, "not-to-be-told" in told) == (3, True, False)
    robot_server.answer = TAKEN
    assert await tidewatt(*pushing) == (0, "2 messages to 127.0.0.1\n")
    assert json.loads(robot_server.bodies[-1])["msgtype"] == "image"

    tasks = Tasks(Path(file), make=False)
    east, west = tasks.undone()
    await answered_by_the_command(file, east.word)
    assert tasks.undone() == [west]
    code, _ = await tidewatt("sunclock-tasks", file, "escalate", "--to", "env:CHIEF", CHIEF=f"{robot_server.url}/chief")
    assert code == 0
    assert "West" in json.loads(robot_server.bodies[-1])["text"]["content"]


async def answered_by_the_command(file: str, word: str) -> None:
    command = ("-m", "controller.app", "sunclock-tasks", file, "serve", "--listen", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    listening = re.search(r"127\.0\.0\.1:(\d+)", (await process.stdout.readline()).decode())
    assert listening is not None
    async with aiohttp.ClientSession() as session:
        assert (await Page(int(listening[1]), session).press(word, "Li"))[0] == 200
    process.terminate()
    assert await process.wait() == 0
    await process.communicate()
