"""One daemon a site, whatever became of the one before."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from controller.core.errors import EnvironmentProblem
from controller.runtime.site_lock import site_lock

_HOLDER = """
import sys, pathlib
from controller.runtime.site_lock import site_lock
with site_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).resolve().parents[3]


async def test_a_second_holder_is_refused_and_named_until_the_first_dies(tmp_path: Path) -> None:
    state = tmp_path / "state"
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _HOLDER,
        str(state),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(EnvironmentProblem, match=f"process {holder.pid}"), site_lock(state):
        pytest.fail("two have the site")
    holder.kill()
    await holder.communicate()
    with site_lock(state):
        assert (state / "lock").read_text().strip() == str(os.getpid())


def test_it_is_free_again_afterwards_and_only_for_this_user(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for _ in range(2):
        with site_lock(state):
            assert state.stat().st_mode & 0o777 == 0o700
            assert (state / "lock").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_made_is_one_clear_problem(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="state cannot be kept here"), site_lock(tmp_path / "no" / "state"):
        pytest.fail("nothing to hold")
