"""The horizon of a site: a file of angles by azimuth beside site.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.conftest import Edit, Told, compiled

LEVEL = "\n".join(f"{azimuth}, 5" for azimuth in range(0, 360, 10))


@pytest.fixture
def angles(site: Path, edit: Edit) -> Path:
    """The file that the site names; not there yet."""
    edit("site.yaml", "position: {", "position: {horizon: horizon.csv, ")
    return site / "horizon.csv"


def test_a_site_without_one_is_level(site: Path) -> None:
    assert compiled(site).terrain is None


def test_its_angles_are_read_and_change_the_digest(site: Path, angles: Path) -> None:
    angles.write_text(f"azimuth,angle\n{LEVEL}\n", encoding="utf-8")
    first = compiled(site)
    assert first.terrain is not None
    assert set(first.terrain.angles) == {5.0}
    assert angles in first.files, "a change of it is noticed"
    angles.write_text(LEVEL.replace(" 5", " 6"), encoding="utf-8")
    assert compiled(site).digest != first.digest


def test_what_is_wrong_with_it_is_told_by_line(angles: Path, told: Told) -> None:
    assert told() == ["horizon.csv:1: the file is missing; create it; docs/configuration.md shows one"]
    angles.write_text(f"azimuth,angle\n{LEVEL}\n", encoding="utf-8")
    lines = angles.read_text(encoding="utf-8").splitlines()
    angles.write_text("\n".join([*lines[:5], *lines[8:]]), encoding="utf-8")
    (problem,) = told()
    assert problem.startswith("horizon.csv:6: there is a gap between azimuth 30° and 70°")
