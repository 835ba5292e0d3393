"""What a newcomer sees with a Modbus client is what both READMEs say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "config" / "templates" / "simulator" / "chilled_water_plant.yaml"
_SET = {"status", "auto_status"}
"""While chiller and pumps run by their own controls."""
_CLEAR = {"tripped", "charge_valve_status", "discharge_valve_status"}


def bits() -> dict[tuple[str, str], int]:
    """Of input register 0, by equipment and quantity."""
    found: dict[tuple[str, str], int] = {}
    equipment: dict[str, dict[str, Any]] = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))["equipment"]
    for name, each in equipment.items():
        for quantity, point in each["points"].items():
            address = point.get("address", {})
            if address.get("table") == "input" and address.get("register") == 0:
                found[name, quantity] = address["bit"]
    return found


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_plants_register_reads_as_the_readme_says(page: str) -> None:
    quantities = {quantity for _, quantity in bits()}
    assert quantities == _SET | _CLEAR, "a bit more in this register changes what the READMEs show of it"
    told = sum(1 << bit for (_, quantity), bit in bits().items() if quantity in _SET)
    row = next(line for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if f"{told} = " in line)
    assert row.count(str(told)) == 2, "while Tidewatt runs, and after Ctrl-C"
