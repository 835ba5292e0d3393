"""What the daemon holds in memory at rest on the demo site, and what importing the program loads.

Runs `tidewatt simulate` and `tidewatt run` on a copy of the demo site and reads PSS (private pages, and its share of
the shared ones) of the `tidewatt run` process from /proc/PID/smaps_rollup. Its children (the planning process, which
ends by itself when idle) are listed apart. With --all-protocols the site has three links more: to a BACnet/IP device,
a signed and encrypted OPC UA server and an MQTT broker, the independent ones of the wire tests.

    .venv/bin/python benchmarks/memory.py
    .venv/bin/python benchmarks/memory.py --all-protocols
    .venv/bin/python benchmarks/memory.py --after 10
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from benchmarks.demo_day import copy_site
from tests.site_processes import SiteProcesses
from tests.wire import far_sides

LIMIT_MIB = 80.0
LIMIT_ALL_MIB = 150.0
TOO_HEAVY = ("pandas", "scipy", "sklearn", "pvlib")
TIDEWATT = (sys.executable, "-m", "controller.app")


def pss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the kernel tells no PSS")


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for child in children for each in (child, *descendants(child))]


def command_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return " ".join(Path(word).name if word.startswith("/") else word for word in words).strip()


def loaded_by_import() -> list[str]:
    """The heavy packages that are in memory once all commands are there."""
    loading = "import sys; from controller.app import COMMANDS, parser; [parser(name) for name in COMMANDS]"
    code = f"{loading}; print(*[name for name in {TOO_HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    return told.split()


@contextlib.contextmanager
def running(*arguments: str) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen([*TIDEWATT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def add_links(site: Path, stack: contextlib.ExitStack) -> None:
    """A link for each protocol that the demo lacks, as a scan of its far side writes it."""
    for open_far_side in (far_sides.bacnet, far_sides.opcua, far_sides.mqtt):
        name = open_far_side.__name__
        folder = site.parent / name
        folder.mkdir()
        processes = SiteProcesses(folder / "site", (0, 0, 0))
        stack.callback(processes.close)
        far = stack.enter_context(contextlib.contextmanager(open_far_side)(processes))
        scanned = processes.tidewatt("scan", *far.scan, "--output", str(processes.site))
        assert scanned.code == 0, scanned.out + scanned.err
        (site / f"{name}.csv").write_bytes((processes.site / "points.csv").read_bytes())
        link = (processes.site / "devices.yaml").read_text().partition("links:\n")[2]
        with (site / "devices.yaml").open("a") as devices:
            devices.write("\n" + link.replace("points.csv", f"{name}.csv"))


def main() -> int:
    parser = argparse.ArgumentParser(description="memory of the daemon at rest")
    parser.add_argument("--after", type=float, default=60.0, help="seconds from its start to the look (60)")
    parser.add_argument("--port", type=int, default=15120, help="the first of three free ports")
    parser.add_argument("--all-protocols", action="store_true", help="with links of all four protocols")
    given = parser.parse_args()
    limit = LIMIT_ALL_MIB if given.all_protocols else LIMIT_MIB
    heavy = loaded_by_import()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        copied = copy_site(Path(folder), given.port, strategies="auto")
        if given.all_protocols:
            add_links(copied, stack)
        site = str(copied)
        simulator = stack.enter_context(running("simulate", site))
        assert simulator.stdout is not None
        while line := simulator.stdout.readline():
            if line == "ready\n":
                break
        daemon = stack.enter_context(running("run", site))
        time.sleep(given.after)
        pss = pss_mib(daemon.pid)
        what = f"tidewatt run, {given.after:g} s after its start"
        print(f"{'process':<58} {'PSS':>10} {'limit':>10}")
        print(f"{what:<58} {pss:>6.1f} MiB {limit:>6.0f} MiB")
        for child in descendants(daemon.pid):
            print(f"  {command_of(child)[:56]:<56} {pss_mib(child):>6.1f} MiB")
    print(f"all commands together load {', '.join(heavy) or 'none of ' + ', '.join(TOO_HEAVY)}")
    return 1 if pss > limit or heavy else 0


if __name__ == "__main__":
    sys.exit(main())
