"""A site, and what is wrong with one, knows the files that it hangs on: who watches them misses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.errors import ConfigError
from controller.core.file_state import FileState
from tests.unit.settings.conftest import Edit, Told, compiled

READ = {"site.yaml", "devices.yaml", "strategies.yaml", "templates/test/lamps.yaml", "templates/test/plant.yaml"}
MAY_COME = {"alarms.yaml", "points.csv", "sunclock.yaml", "users.yaml"}


def looked_at(folder: Path) -> dict[str, FileState]:
    """By the file's name in the folder, problems or none."""
    try:
        files = compiled(folder).files
    except ConfigError as error:
        files = error.files
    return {str(file.relative_to(folder)): state for file, state in files.items()}


def test_every_file_that_was_read_is_known_and_those_that_may_come(site: Path) -> None:
    found = looked_at(site)
    assert {name for name, state in found.items() if not state.error} == READ
    assert {name for name, state in found.items() if state.error} == MAY_COME
    assert looked_at(site) == found


def test_a_file_that_is_written_is_another(site: Path, edit: Edit) -> None:
    before = looked_at(site)
    edit("templates/test/lamps.yaml", "title", "title ")
    after = looked_at(site)
    assert {name for name in before if before[name] != after[name]} == {"templates/test/lamps.yaml"}


def test_what_would_mend_a_site_is_looked_at(site: Path, edit: Edit) -> None:
    """A template or tariff that comes later, a file that goes, another try at one that cannot be read."""
    edit("devices.yaml", "template: test/lamps", "template: test/lamp_drivers")
    assert looked_at(site)["templates/test/lamp_drivers.yaml"].error
    edit("site.yaml", "time_zone:", "tariff: tariffs/own.yaml\ntime_zone:")
    assert looked_at(site)["tariffs/own.yaml"].error
    (site / "more.yaml").write_text("a: 1")
    assert not looked_at(site)["more.yaml"].error
    (site / "strategies.yaml").write_text("{")
    assert not looked_at(site)["strategies.yaml"].error


def test_a_folder_that_is_away_may_come_back(tmp_path: Path) -> None:
    assert looked_at(tmp_path / "gone").keys() >= {"site.yaml", "devices.yaml"}


@pytest.mark.parametrize("name", [".#site.yaml", ".site.yaml.swp", ".devices.yaml.Xa81bQ"])
def test_what_editors_and_copying_programs_hide_is_none_of_ours(site: Path, told: Told, name: str) -> None:
    (site / name).write_text("half of it")
    assert told() == []
