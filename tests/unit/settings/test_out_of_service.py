"""What site.yaml takes out of service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.conftest import Edit, Told, compiled

CHILLER = "plant.chiller_1"


def out_of_service(edit: Edit, *entries: str) -> None:
    """They stand on line 7 and below."""
    edit("site.yaml", "systems:\n", "out_of_service:\n" + "".join(f"  - {entry}\n" for entry in entries) + "systems:\n")


def test_it_has_a_reason(site: Path, edit: Edit) -> None:
    out_of_service(edit, f"{{equipment: {CHILLER}, reason: compressor is being rebuilt}}")
    assert compiled(site).out_of_service == {CHILLER: "compressor is being rebuilt"}


@pytest.mark.parametrize(
    "entries, expected",
    [
        (["{equipment: plant.chiler_1, reason: x}"], "there is no 'plant.chiler_1' in devices.yaml; did you mean"),
        ([f"{{equipment: {CHILLER}, reason: x}}"] * 2, f"'{CHILLER}' is out of service already, by line 8; remove one"),
        ([f"{{equipment: {CHILLER}}}"], "reason"),
    ],
)
def test_what_is_wrong_is_told(edit: Edit, told: Told, entries: list[str], expected: str) -> None:
    out_of_service(edit, *entries)
    assert expected in told()[0]
