"""For any point: who holds it, who lost, which limit acted, what was read back, and when each of it was."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from controller.cli import explain as explain_command
from controller.core.point import PointId
from controller.core.system import Authority
from controller.runtime import point_status
from tests.bench import BRIGHTNESS, CHILLER, DEMAND, LAMP_REMOTE, PUMP, Bench


def lines(bench: Bench, point: PointId) -> dict[str, str]:
    """By their label; of several the last."""
    _, *told = explain_command.told(point_status.explain(bench.daemon, point), "en")
    return {line[2:12].strip(): line[13:] for line in told}


def test_every_answer_has_its_time(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(30)
        await bench.command(BRIGHTNESS, 0.8, 600)
        await bench.wait(60)
        told = lines(bench, BRIGHTNESS)
        assert told["held by"] == ("operator:operator: 80 %, level 8 (manual operator), ends in 9 min, for 60 s now"), (
            "who, and since when"
        )
        assert told["held back"].startswith("strategy:desk: 50 %, level 13 (strategy)")
        assert told["written"] == "80 %, 60 s ago (before us: 100 %)"
        assert re.fullmatch(r"80 %, [01] s old: owned for (59|60) s", told["read back"])
        assert "12:0" in told["lately"], "the site's time of its latest event"
        assert "后到期，已 60 s" in "".join(explain_command.told(point_status.explain(bench.daemon, BRIGHTNESS), "zh"))

    Bench(tmp_path).run(life)


def test_a_limit_says_since_when_it_acts(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(10)
        await bench.command(CHILLER, True)
        await bench.wait(120)
        told = lines(bench, CHILLER)
        assert told["limit"].startswith("kept off for another ")
        assert told["limit"].endswith("for 2 min now") or told["limit"].endswith(" s now")

    Bench(tmp_path).run(life)


def test_a_remote_bit_tells_what_was_written_and_read(tmp_path: Path) -> None:
    """Nobody commands it, and still it is written: since when, and what the device shows."""

    async def life(bench: Bench) -> None:
        await bench.wait(30)
        told = lines(bench, LAMP_REMOTE)
        assert told["held by"].startswith("Tidewatt itself")
        assert told["written"].startswith("on, ")
        assert "owned for" in told["read back"]

    Bench(tmp_path).run(life)


def test_what_was_let_go_tells_when(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(30)
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "Li Na")
        await bench.wait(10)
        told = lines(bench, BRIGHTNESS)
        assert "written" not in told
        assert told["lately"].endswith("let go")
        assert lines(bench, DEMAND)["held by"].startswith("it is only read")

    Bench(tmp_path).run(life)


@pytest.mark.parametrize("authority", Authority)
def test_there_is_an_answer_for_every_point_in_both_languages(tmp_path: Path, authority: Authority) -> None:
    async def life(bench: Bench) -> None:
        lasting = timedelta(hours=1) if authority is Authority.COMMISSIONING else None
        for system in bench.site().systems:
            await bench.daemon.set_authority(system.id, authority, "Li Na", lasting)
        await bench.wait(30)
        for point in bench.site().points:
            answer = json.loads(json.dumps(point_status.explain(bench.daemon, point)))
            for told, labels in (
                (explain_command.told(answer, "en"), ("now", "held by")),
                (explain_command.told(answer, "zh"), ("当前值", "控制者")),
            ):
                assert told[0] == point
                for label in labels:
                    assert sum(line.startswith(f"  {label} ") for line in told) == 1, (point, label)

    assert Bench(tmp_path).run(life)
