"""A night of the demo site over real sockets, in less than a minute and a half, judged by its records."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.site_processes import ROOT, free_ports


@pytest.mark.slow
@pytest.mark.wire
@pytest.mark.timeout(240)
def test_a_night_of_the_demo_at_600_times_real_speed(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Short: the path of a socket may have 107 characters.
    folder = tmp_path_factory.mktemp("day")
    command = [sys.executable, str(ROOT / "benchmarks" / "demo_day.py"), "--speed", "600", "--for", "78s"]
    done = subprocess.run(
        [*command, "--port", str(free_ports())],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "TMPDIR": str(folder), "TIDEWATT_LANGUAGE": "en"},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the night was as it should be" in done.stdout
