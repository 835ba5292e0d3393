"""What docs/drivers/mqtt.md shows is what the driver takes."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.settings.validate import checker
from drivers.mqtt.address import MqttAddress, MqttConnection

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "drivers" / "mqtt.md").read_text(encoding="utf-8")
EXAMPLES: list[dict[str, Any]] = [
    entry["address"]
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1:]
    for entry in yaml.safe_load(block).values()
]


@pytest.mark.parametrize("address", EXAMPLES)
def test_every_example_is_an_address(address: dict[str, Any]) -> None:
    assert checker(MqttAddress).check({**address, "topic": "hall"})[1] == []


def test_every_word_is_explained() -> None:
    said = set(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE))
    words = {word for row in said for word in re.findall(r"\w+", row)}
    assert {each.name for kind in (MqttAddress, MqttConnection) for each in fields(kind)} - words == {"topic"}
    assert len(EXAMPLES) == 5
