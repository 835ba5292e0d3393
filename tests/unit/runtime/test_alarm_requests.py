"""What people do about alarms, over the control socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controller.core.event import EventKind
from tests.bench import BRIGHTNESS
from tests.scenario.test_siren import SirenBench
from tests.unit.runtime.test_control_socket import Client, serving

IGNORED = f"{BRIGHTNESS}:ignored"


async def _raise(client: Client) -> None:
    client.daemon.journal.note(EventKind.ALARM, BRIGHTNESS, {"alarm": "ignored", "state": "active"})
    await client.daemon.alarms.close()


async def _only(client: Client, **request: Any) -> Any:
    answer = await client.ask(**request)
    assert answer["ok"], answer
    (row,) = answer["answer"]
    return row


async def test_the_list_and_what_is_done_about_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        assert (await client.ask(command="alarms"))["answer"]["alarms"] == []
        await _raise(client)
        shown = (await client.ask(command="alarms"))["answer"]
        assert shown["counts"]["unacknowledged"] == 1
        assert shown["time_zone"] == "Asia/Shanghai"
        (row,) = shown["alarms"]
        assert (row["id"], row["state"], row["unit"]) == (IGNORED, "unacknowledged", "fraction")
        row = await _only(client, command="acknowledge", alarm=IGNORED, who="Li Na")
        assert (row["state"], row["who"]) == ("acknowledged", "Li Na")
        row = await _only(client, command="shelve", alarm=IGNORED, who="Li Na", for_s=60, reason="lamp is gone")
        assert row["state"] == "shelved"
        row = await _only(client, command="unshelve", alarm=IGNORED, who="Li Na")
        assert row["state"] == "unacknowledged", "it is shown as new"
        row = await _only(client, command="out_of_service", alarm=IGNORED, who="Li Na", reason="no lamp")
        assert row["state"] == "out_of_service"
        assert (await client.ask(command="status"))["answer"]["alarms"]["out_of_service"] == 1
        row = await _only(client, command="into_service", alarm=IGNORED, who="Li Na")
        row = await _only(client, command="acknowledge", alarm="all", who="Li Na")
        assert row["state"] == "acknowledged"
        assert (await client.ask(command="acknowledge", alarm="all"))["answer"] == []


@pytest.mark.parametrize(
    "request_, refusal",
    [
        ({"command": "shelve", "reason": "x"}, "needs an end"),
        ({"command": "shelve", "for_s": 1e6, "reason": "x"}, "at most 72 h"),
        ({"command": "shelve", "for_s": 60}, "say why"),
        ({"command": "out_of_service"}, "say why"),
        ({"command": "unshelve"}, "is not shelved"),
        ({"command": "into_service"}, "is in service"),
        ({"command": "silence_siren"}, "has no siren"),
        ({"command": "acknowledge", "alarm": "nothing"}, "there is no alarm 'nothing'"),
    ],
)
async def test_refusals_say_why(tmp_path: Path, request_: dict[str, Any], refusal: str) -> None:
    async with serving(tmp_path) as client:
        await _raise(client)
        answer = await client.ask(**{"alarm": IGNORED, **request_})
        assert not answer["ok"]
        assert refusal in answer["error"]


async def test_the_siren_is_silenced_and_says_what_had_called(tmp_path: Path) -> None:
    async with serving(tmp_path, SirenBench(tmp_path).site()) as client:
        client.daemon.journal.note(EventKind.ALARM, "plant", {"alarm": "fire", "state": "active"})
        await client.daemon.alarms.close()
        assert (await client.ask(command="alarms"))["answer"]["siren"]["calling"] == ["plant:fire"]
        row = await _only(client, command="silence_siren", who="Li Na")
        assert (row["id"], row["state"]) == ("plant:fire", "unacknowledged")
        assert "silent already" in (await client.ask(command="silence_siren"))["error"]


async def test_a_work_order_is_opened_and_closed(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await _raise(client)
        order = (await client.ask(command="order", alarm=IGNORED, who="Li Na", text="Wang: look"))["answer"]
        assert (order["number"], order["closed"]) == (1, None)
        assert "--even-so" in (await client.ask(command="close_order", alarm="1", who="Wang", text="done"))["error"]
        request = {"command": "close_order", "alarm": "1", "who": "Wang", "text": "done", "even_so": "no spare part"}
        assert (await client.ask(**request))["answer"]["closed_by"] == "Wang"
        assert (await client.ask(command="alarms"))["answer"]["work_orders"] == []
        assert len((await client.ask(command="alarms", everything=True))["answer"]["work_orders"]) == 1
