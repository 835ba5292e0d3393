"""Requests over a real unix socket: answered, refused in words, never fatal."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.core.site import Site
from controller.core.system import Authority
from controller.historian.memory import MemoryHistorian
from controller.runtime import control_socket
from controller.runtime.clock import RealClock
from controller.runtime.control_protocol import VERSION
from controller.runtime.control_socket import LONGEST_LINE
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from tests.bench import BRIGHTNESS, CHILLER, LAMP_REMOTE, Bench


class Client:
    def __init__(self, path: Path, daemon: Daemon) -> None:
        self.path = path
        self.daemon = daemon

    async def ask(self, **request: Any) -> Any:
        return await self.send(json.dumps({"tidewatt": VERSION, **request}).encode())

    async def send(self, line: bytes) -> Any:
        """The answer, None where the conversation was ended instead."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(line + b"\n")
        try:
            answer = await reader.readline()
        except ConnectionError:
            return None
        finally:
            writer.close()
        return json.loads(answer) if answer else None


@asynccontextmanager
async def serving(tmp_path: Path, site: Site | None = None) -> AsyncGenerator[Client]:
    """The requests alone, of a daemon that is not running."""
    clock = RealClock()
    daemon = Daemon(site or Bench(tmp_path).site(), clock, MemoryHistorian(), Store(None, clock))
    path = tmp_path / "control.sock"
    with control_socket.listening(path) as listener:
        async with asyncio.TaskGroup() as tasks:
            server = tasks.create_task(control_socket.serve(daemon, listener))
            yield Client(path, daemon)
            server.cancel()
    await daemon.store.close()
    assert not path.exists()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(tmp_path) as client:
        yield client


async def test_only_this_user_may_connect(client: Client) -> None:
    assert client.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "line, words",
    [
        (b"rubbish", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 50_000, "no JSON"),
        (b"null", "a request is"),
        (b"[1, 2]", "a request is"),
        (b'{"command": "status"}', "a request is"),
        (b'{"tidewatt": 99, "command": "status"}', "a request is"),
        (b'{"tidewatt": 1}', "there is no command"),
        (b'{"tidewatt": 1, "command": "format"}', "there are status, points"),
        (b'{"tidewatt": 1, "command": ["status"]}', "there is no command"),
    ],
)
async def test_what_is_no_request_is_answered_in_words(client: Client, line: bytes, words: str) -> None:
    answer = await client.send(line)
    assert answer["ok"] is False
    assert words in answer["error"]
    assert (await client.ask(command="status"))["ok"] is True


@pytest.mark.parametrize("length", [LONGEST_LINE + 1, 20 * LONGEST_LINE])
async def test_a_line_that_is_too_long_ends_the_conversation_only(client: Client, length: int) -> None:
    assert await client.send(b"x" * length) is None
    assert (await client.ask(command="status"))["ok"] is True


@pytest.mark.parametrize(
    "request_, words",
    [
        ({"command": "explain", "point": "no.such.point"}, "no point"),
        ({"command": "explain"}, "no point"),
        ({"command": "inspect", "point": "no.such.point"}, "no point"),
        ({"command": "inspect", "point": BRIGHTNESS}, "link lights is not connected"),
        ({"command": "write", "point": BRIGHTNESS, "for_s": 60}, "needs a value"),
        ({"command": "write", "point": BRIGHTNESS, "value": 0.5}, "needs an end"),
        ({"command": "write", "point": BRIGHTNESS, "value": 0.5, "for_s": True}, "needs an end"),
        ({"command": "write", "point": BRIGHTNESS, "value": 0.5, "for_s": -5}, "an end in the future"),
        ({"command": "write", "point": BRIGHTNESS, "value": 0.5, "for_s": 1e300}, "at most"),
        ({"command": "write", "point": BRIGHTNESS, "value": 0.5, "for_s": -1e300}, "at most"),
        ({"command": "write", "point": BRIGHTNESS, "value": 0.5, "for_s": float("nan")}, "at most"),
        ({"command": "write", "point": BRIGHTNESS, "value": 7, "for_s": 60}, "takes 0.1 to 1"),
        ({"command": "write", "point": LAMP_REMOTE, "value": True, "for_s": 60}, "set by Tidewatt itself"),
        ({"command": "relinquish", "point": "garage.desk_1.demand"}, "not a writable point"),
        ({"command": "authority", "system": "moon", "authority": "original"}, "there are garage, plant"),
        ({"command": "authority", "system": "garage", "authority": "mine"}, "original or tidewatt"),
        ({"command": "authority", "system": "garage", "authority": "commissioning"}, "needs an end"),
        ({"command": "resume_ab_days", "system": "moon"}, "there are garage, plant"),
        ({"command": "resume_ab_days", "system": "garage"}, "system garage has no A/B days"),
        ({"command": "record", "item": "moon:command", "result": "passed"}, "there is no test called moon:command"),
        ({"command": "record", "item": BRIGHTNESS, "result": "perhaps"}, "passed or failed"),
        ({"command": "silence", "item": "moon:silence"}, "there is no test"),
        ({"command": "retry", "name": "nobody"}, "no strategy, link or equipment"),
        ({"command": "relinquish", "point": BRIGHTNESS, "who": "li\udc80na"}, "another encoding than UTF-8"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(client: Client, request_: dict[str, Any], words: str) -> None:
    answer = await client.ask(**request_)
    assert answer["ok"] is False
    assert words in answer["error"]
    assert client.daemon.scan.controls[BRIGHTNESS].array.winner is None


async def test_in_original_a_command_is_refused_and_not_kept_for_later(client: Client) -> None:
    answer = await client.ask(command="authority", system="garage", authority="original", who="mei")
    assert answer["answer"] == {"garage": "original", "plant": "tidewatt"}
    assert client.daemon.authority["garage"] is Authority.ORIGINAL
    refused = await client.ask(command="write", point=BRIGHTNESS, value=0.5, for_s=60)
    assert "original controls" in refused["error"]
    await client.ask(command="authority", system="garage", authority="tidewatt")
    assert client.daemon.scan.controls[BRIGHTNESS].array.winner is None


async def test_a_command_is_held_explained_and_taken_back(client: Client) -> None:
    written = await client.ask(command="write", point=BRIGHTNESS, value=0.5, for_s=600, who="mei", reason="event")
    assert written["answer"]["winner"]["source"] == "operator:mei"
    assert 590 < written["answer"]["winner"]["ends_in_s"] <= 600
    explained = await client.ask(command="explain", point=BRIGHTNESS)
    assert explained["answer"]["winner"]["reason"]["en"] == "event"
    relinquished = await client.ask(command="relinquish", point=BRIGHTNESS)
    assert relinquished["answer"] == {"there_was_a_command": True}
    assert (await client.ask(command="explain", point=BRIGHTNESS))["answer"]["winner"] is None
    assert (await client.ask(command="points"))["answer"][CHILLER]["commanded"]["verdict"] is None
    assert (await client.ask(command="retry", name="desk"))["answer"] == {"retried": "desk"}


async def test_a_machine_is_locked_out_listed_and_given_back(client: Client) -> None:
    refused = await client.ask(command="lock_out", equipment="plant.chiller_1", reason="tubes")
    assert "name and a reason" in refused["error"]
    await client.ask(command="lock_out", equipment="plant.chiller_1", who="Li", reason="tubes")
    assert "locked out by Li" in (await client.ask(command="write", point=CHILLER, value=True, for_s=60))["error"]
    listed = (await client.ask(command="lockouts"))["answer"]
    assert [(each["equipment"], each["who"]) for each in listed["lockouts"]] == [("plant.chiller_1", "Li")]
    assert (await client.ask(command="points"))["answer"][CHILLER]["availability"] == "locked_out"
    assert "it is locked by Li" in (await client.ask(command="unlock", equipment="plant.chiller_1", who="Wu"))["error"]
    await client.ask(command="unlock", equipment="plant.chiller_1", who="Li")
    assert (await client.ask(command="write", point=CHILLER, value=True, for_s=60))["ok"] is True


async def test_one_conversation_may_ask_much(client: Client) -> None:
    reader, writer = await asyncio.open_unix_connection(str(client.path))
    for _ in range(50):
        writer.write(b'{"tidewatt": 1, "command": "status"}\n')
    for _ in range(50):
        assert json.loads(await reader.readline())["ok"] is True
    writer.close()


async def test_somebody_who_stays_connected_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        reader, writer = await asyncio.open_unix_connection(str(client.path))
        writer.write(b'{"tidewatt": 1, "command": "status"}\n')
        await reader.readline()
    assert await reader.read() == b"", "and is told that it is over"
    writer.close()


async def test_nor_does_somebody_who_asks_much_and_reads_nothing(tmp_path: Path) -> None:
    async with asyncio.timeout(20), serving(tmp_path) as client:
        _, writer = await asyncio.open_unix_connection(str(client.path))
        writer.write(b'{"tidewatt": 1, "command": "status"}\n' * 20_000)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await writer.drain()
    with contextlib.suppress(ConnectionError):
        writer.close()
        await writer.wait_closed()


async def test_a_file_left_by_a_killed_daemon_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "control.sock").write_text("left behind")
    async with serving(tmp_path) as client:
        assert (await client.ask(command="status"))["ok"] is True
