"""How long a user waits for the first control action: from the command to the first command on screen.

Each round types the command anew on a copy of the demo site, whose simulator has to be started, too. `make demo` runs
in the checkout on the bundled site, with an environment that is ready.

    .venv/bin/python benchmarks/start.py
    .venv/bin/python benchmarks/start.py --make
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.demo_day import copy_site

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 5.0
# Time of day, point, what was written.
FIRST_COMMAND = re.compile(r"\d\d:\d\d:\d\d  [a-z0-9_.]+: ")


def first_command_after(command: Sequence[str], site: Path) -> float:
    """Seconds from typing a command to the line that tells of the first write."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if FIRST_COMMAND.match(line):
                    return time.perf_counter() - began
            raise SystemExit(f"{' '.join(command)} ended without a command")
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.stdout.read()
            process.wait()
            end_simulator(site)


def end_simulator(site: Path) -> None:
    """The one that a demo leaves running; the next round shall start its own."""
    with suppress(OSError, ValueError, KeyError):
        left = json.loads((site / "state" / "simulator.json").read_text())
        if f"={left['nonce']}".encode() in Path(f"/proc/{left['pid']}/environ").read_bytes():
            os.kill(left["pid"], signal.SIGTERM)


def main() -> int:
    parser = argparse.ArgumentParser(description="from `tidewatt demo` to the first command on screen")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=15220, help="the first of three free ports")
    parser.add_argument("--make", action="store_true", help="also `make demo`, on the bundled site and its ports")
    given = parser.parse_args()
    medians: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        site = copy_site(Path(folder), given.port, strategies="auto")
        commands = {"tidewatt demo": ([str(Path(sys.executable).with_name("tidewatt")), "demo", str(site)], site)}
        if given.make:
            commands["make demo"] = (["make", "demo"], ROOT / "config" / "sites" / "demo")
        for name, (command, used) in commands.items():
            times = [first_command_after(command, used) for _ in range(given.rounds)]
            medians.append(statistics.median(times))
            spread = f"{min(times):.2f} to {max(times):.2f}"
            print(f"{name:<16} median {medians[-1]:.2f} s [{spread}], limit {LIMIT_S:g} s")
    return 1 if max(medians) > LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
