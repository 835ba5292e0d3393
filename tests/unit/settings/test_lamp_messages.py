"""sunclock.yaml: what it may say, and what is wrong with it."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from tests.unit.settings.conftest import Told, compiled

PLACES = "name,latitude,longitude,time_zone\nEast,31.2,121.5,Asia/Shanghai\n"
WHOLE = """\
places: estates.csv
at: 08:00
to: !file robot
message: text
pictures: false
light: 20
answers: https://lamps.example.org/
answer_within: 90min
escalate_to: !file robot
"""


@pytest.fixture
def folder(site: Path) -> Path:
    (site / "estates.csv").write_text(PLACES)
    (site / "robot").write_text("https://robot.example.org/send?key=hunter2\n")
    return site


def test_everything_it_may_say(folder: Path) -> None:
    (folder / "sunclock.yaml").write_text(WHOLE)
    found = compiled(folder).lamp_messages
    assert found is not None
    assert (found.places, found.at, found.illuminance) == (folder / "estates.csv", time(8), 20.0)
    assert (found.is_markdown, found.has_pictures) == (False, False)
    assert (found.answers, found.answer_within) == ("https://lamps.example.org", timedelta(minutes=90))
    assert found.to == found.escalate_to == "https://robot.example.org/send?key=hunter2"
    assert "hunter2" not in repr(found)


def test_a_site_needs_none_and_then_its_hash_is_as_before(folder: Path) -> None:
    before = compiled(folder)
    assert before.lamp_messages is None
    (folder / "sunclock.yaml").write_text(WHOLE)
    assert compiled(folder).digest != before.digest


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ("at: 08:00", "at: 8:00", "sunclock.yaml:2: "),
        ("!file robot\nmessage", "https://robot.example.org\nmessage", "sunclock.yaml:3: a secret stands in the file"),
        ("light: 20", "light: 2", "sunclock.yaml:6: "),
        ("answers: https://lamps.example.org/\n", "", "sunclock.yaml:7: 'answer_within' belongs to 'answers'"),
        ("places: estates.csv", "places: ../estates.csv", "sunclock.yaml:1: "),
        ("places: estates.csv", "places: other.csv", "other.csv:1: the file is missing"),
        ("to: !file robot", "to: !file estates.csv", "sunclock.yaml:3: what the secret holds is no address of a robot"),
        ("pictures: false", "picture: false", "sunclock.yaml:5: the key 'picture' is unknown"),
    ],
)
def test_what_is_wrong_is_told(folder: Path, told: Told, old: str, new: str, expected: str) -> None:
    (folder / "sunclock.yaml").write_text(WHOLE.replace(old, new, 1))
    assert told()[0].startswith(expected)
