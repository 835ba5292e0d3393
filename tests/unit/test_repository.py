"""What is true of the repository as a whole: what is tracked, what is pinned, what is importable."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("controller", "drivers", "strategies", "simulator")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Written in two halves, so that this file does not find itself.
INDEX_HOSTS = [
    first + second
    for first, second in [
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("deb.deb", "ian.org"),
        ("security.deb", "ian.org"),
        ("crates", ".io"),
        ("ana", "conda.org"),
        ("proxy.go", "lang.org"),
        ("--index", "-url"),
        ("--extra-index", "-url"),
        ("--find", "-links"),
    ]
]
MACHINE_PATH = re.compile(rb"(?<![\w.~])/(?:(?:work|root|Users|opt/pypi)/|home/[a-z])")
HEAVY = ("aiohttp", "influxdb_client", "numpy", "pandas", "scipy", "sklearn", "pvlib")


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    paths = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def leaks(content: bytes) -> list[str]:
    """The index hosts and machine paths that a file names."""
    found = [host for host in INDEX_HOSTS if host.encode() in content]
    return found + [match.group().decode() for match in MACHINE_PATH.finditer(content)]


def test_no_tracked_file_names_an_index_or_a_machine() -> None:
    files = tracked_files()
    assert len(files) > 10
    named = {str(path.relative_to(ROOT)): found for path in files if (found := leaks(path.read_bytes()))}
    assert named == {}


@pytest.mark.parametrize("host", INDEX_HOSTS)
def test_an_index_host_would_be_found(host: str) -> None:
    assert leaks(f'"resolved": "{host}/x"'.encode()) == [host]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("cd /" + "work/main", True),
        ("/" + "root/.cache", True),
        ("/" + "home/ann/x", True),
        ("https://example.org/work/x", False),
        ("../shared/data", False),
        ("a chapter on home/office control", False),
    ],
)
def test_a_machine_path_would_be_found(text: str, expected: bool) -> None:
    assert bool(leaks(text.encode())) is expected


# --- pins -------------------------------------------------------------------------------------------------------------


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    wrong = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", line)]
    assert wrong == []
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines)}


def test_constraints_are_names_and_versions_only() -> None:
    assert len(pins()) == len((ROOT / "constraints.txt").read_text().splitlines())
    assert "tidewatt" not in pins()


def test_every_dependency_is_pinned() -> None:
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"], *PROJECT["build-system"]["requires"]]
    names = {normal(re.split(r"[\[<>=!~ ;]", text)[0]) for text in wanted}
    assert names - set(pins()) == set()


# --- packages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_the_folder_of_its_name(name: str) -> None:
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found) == ROOT / name / "__init__.py"
    assert (ROOT / name / "py.typed").is_file()


def test_the_wheel_has_these_packages() -> None:
    assert tuple(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    assert tuple(PROJECT["tool"]["importlinter"]["root_packages"]) == PACKAGES


def test_config_holds_no_python() -> None:
    assert list((ROOT / "config").rglob("*.py")) == []


def test_every_part_of_the_controller_has_a_layer() -> None:
    """A module that no layer names would escape the import contract."""
    contracts = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
    layered = set(re.findall(r"[\w.]+", " ".join(contracts["layers"]["layers"])))
    parts = {path.stem for path in (ROOT / "controller").iterdir() if path.suffix == ".py" or path.is_dir()}
    parts -= {"__init__", "__pycache__"}
    assert {f"controller.{part}" for part in parts} - layered == set()


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after one import statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_daemon_loads_nothing_heavy() -> None:
    every_command = "from controller.app import COMMANDS, parser; [parser(name) for name in COMMANDS]"
    assert loaded_after(every_command) & set(HEAVY) == set()


def test_a_command_loads_what_it_needs_and_the_sun_no_more_than_numpy() -> None:
    loaded = loaded_after("from controller.app import parser; parser('sunclock')")
    assert loaded & {*HEAVY, "pydantic", "rich", "drivers", "simulator"} == set()
    loaded = loaded_after("from strategies.blocks.sun import Sky; Sky(0.0, 86400.0)")
    assert loaded & set(HEAVY) == {"numpy"}


def test_who_only_asks_a_daemon_does_not_load_one() -> None:
    assert loaded_after("import controller.cli.client") & {*HEAVY, "apscheduler", "pydantic", "sqlite3"} == set()


def test_something_heavy_would_be_seen() -> None:
    assert "pvlib" in loaded_after("import pvlib")
