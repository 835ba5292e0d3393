"""Every device template compiles, names its source, and says of everything writable how far it goes and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.point import SafeValue
from tests.templates.one_device import NAMES, TEMPLATES, content, site_of


def test_there_are_templates() -> None:
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_compiles_as_a_whole(name: str, tmp_path: Path) -> None:
    site = site_of(name, tmp_path)
    points = [
        f"area.{local}.{point}" for local, entry in content(name)["equipment"].items() for point in entry["points"]
    ]
    assert [str(point) for point in site.points] == points
    assert len(site.links[0].bindings) == len(points) + (3 if site.links[0].devices[0].simulation else 0)


@pytest.mark.parametrize("name", NAMES)
def test_it_names_its_source(name: str) -> None:
    source = content(name)["source"]
    assert source == "generic" or all(source[key] for key in ("title", "revision", "page"))


@pytest.mark.parametrize("name", NAMES)
def test_everything_writable_has_limits_and_an_end(name: str, tmp_path: Path) -> None:
    site = site_of(name, tmp_path)
    for point in site.points.values():
        if point.writable is None:
            continue
        limits, release = point.writable.range, point.writable.release
        assert limits.low < limits.high
        assert point.writable.readback in site.points
        assert not isinstance(release, SafeValue) or limits.holds(float(release.value))
        assert [point.id in step.points for system in site.systems for step in system.release] == [True]


@pytest.mark.parametrize("name", NAMES)
def test_everything_measured_in_a_unit_has_a_plausible_range_unless_it_counts(name: str) -> None:
    """A frozen or garbled value is found by its range; counters have no end."""
    bare = [
        f"{local}.{quantity}"
        for local, entry in content(name)["equipment"].items()
        for quantity, point in entry["points"].items()
        if "unit" in point and "plausible" not in point and "writable" not in point
    ]
    assert [point for point in bare if not point.endswith(("energy", "volume"))] == []


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("simulator/", "virtual/"))])
def test_it_is_in_the_list_of_what_there_is(name: str) -> None:
    assert f"| `{name}` |" in (TEMPLATES.parents[1] / "docs" / "templates.md").read_text(encoding="utf-8")
