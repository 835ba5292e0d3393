"""The suite's own guards: each leak and each silent skip must really fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LEAKS = """
import asyncio, socket, threading
import pytest

release = threading.Event()
kept = []

async def forever():
    await asyncio.Event().wait()

@pytest.fixture
async def background():
    async with asyncio.TaskGroup() as group:
        task = group.create_task(forever())
        yield
        task.cancel()

@pytest.fixture
async def careless():
    kept.append(asyncio.get_running_loop().create_task(forever()))

async def test_leaves_a_task():
    kept.append(asyncio.get_running_loop().create_task(forever()))

async def test_fixture_leaves_a_task(careless):
    pass

def test_leaves_a_task_in_a_loop_of_its_own():
    async def main():
        kept.append(asyncio.get_running_loop().create_task(forever()))
    asyncio.run(main())

def test_leaves_a_thread():
    threading.Thread(target=release.wait).start()

def test_leaves_a_socket():
    kept.append(socket.socket())

async def test_clean(background):
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with server:
        await asyncio.to_thread(int)

def test_clean_without_a_loop():
    with socket.socket():
        pass

def test_last():
    release.set()
    for item in kept:
        if isinstance(item, socket.socket):
            item.close()
"""

SKIPS = """
import pytest

def test_skips():
    pytest.skip("no such program")

@pytest.mark.xfail(reason="known")
def test_expected():
    assert False

@pytest.mark.reference
def test_reads_the_records(reference):
    pass

def test_reads_them_unmarked(reference):
    pass
"""


def run_suite(folder: Path, text: str, **environment: str) -> str:
    """What pytest prints for a suite of one file under this project's conftest and settings."""
    (folder / "test_inner.py").write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-rA", "--tb=short"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder / "test_inner.py")),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


def outcomes(output: str) -> dict[str, set[str]]:
    """Test name -> the words that the short summary says of it."""
    words: dict[str, set[str]] = {}
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        if word in {"PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL"} and "::" in rest:
            words.setdefault(rest.split("::")[1].split()[0], set()).add(word)
    return words


@pytest.fixture(scope="module")
def leak_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run_suite(tmp_path_factory.mktemp("leaks"), LEAKS)


@pytest.mark.parametrize(
    "name, what",
    [
        ("test_leaves_a_task", "running forever"),
        ("test_fixture_leaves_a_task", "running forever"),
        ("test_leaves_a_task_in_a_loop_of_its_own", "running forever"),
        ("test_leaves_a_thread", "thread Thread-"),
        ("test_leaves_a_socket", "socket:["),
    ],
)
def test_a_leak_fails(leak_report: str, name: str, what: str) -> None:
    assert "ERROR" in outcomes(leak_report)[name]
    summary = next(line for line in leak_report.splitlines() if line.startswith("ERROR") and f"::{name} " in line)
    assert what in summary


@pytest.mark.parametrize("name", ["test_clean", "test_clean_without_a_loop", "test_last"])
def test_a_clean_test_passes(leak_report: str, name: str) -> None:
    assert outcomes(leak_report)[name] == {"PASSED"}


@pytest.mark.slow
def test_strict_skips_fail_all_but_absent_reference_records(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    seen = run_suite(tmp_path, SKIPS, TIDEWATT_STRICT_SKIPS="1", TIDEWATT_REFERENCE=absent)
    assert outcomes(seen)["test_skips"] == {"FAILED"}
    assert outcomes(seen)["test_expected"] == {"XFAIL"}
    assert "ERROR" in outcomes(seen)["test_reads_them_unmarked"]
    assert f"no reference records at {absent}" in seen
    assert "1 skipped" in seen


@pytest.mark.slow
def test_a_module_that_skips_fails_the_strict_suite(tmp_path: Path) -> None:
    module = 'import pytest\npytest.skip("not here", allow_module_level=True)\n'
    assert "1 skipped" in run_suite(tmp_path, module, TIDEWATT_STRICT_SKIPS="")
    assert "1 error" in run_suite(tmp_path, module, TIDEWATT_STRICT_SKIPS="1")
