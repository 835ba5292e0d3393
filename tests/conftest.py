"""What every test shares: nothing is left behind, and nothing skips unnoticed."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("tidewatt", deadline=None)
settings.load_profile("tidewatt")
# For the fast tests.
settings.register_profile("quick", deadline=None, max_examples=20)

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = Path(os.environ.get("TIDEWATT_REFERENCE") or ROOT.parent / "shared" / "data")
STRICT_SKIPS = os.environ.get("TIDEWATT_STRICT_SKIPS") == "1"

# --- nothing is left behind -------------------------------------------------------------------------------------------

_abandoned_tasks: list[str] = []


def _watch_cancelled_at_close() -> None:
    """Note the tasks that an asyncio.Runner has to cancel for us when it closes: nobody ended them.

    Every loop of a test ends there: pytest-asyncio's, `asyncio.run` and a Runner of the test's own. Checking inside
    the test instead would miss what its fixtures leave and blame it for what they still need.
    """
    name = "_cancel_all_tasks"
    cancel_all = cast("Callable[[asyncio.AbstractEventLoop], None]", getattr(asyncio.runners, name))

    def noted(loop: asyncio.AbstractEventLoop) -> None:
        _abandoned_tasks.extend(f"task {_describe(task)}" for task in asyncio.all_tasks(loop))
        cancel_all(loop)

    setattr(asyncio.runners, name, noted)


def _describe(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "__qualname__", repr(task.get_coro()))
    return f"{task.get_name()} running {code}"


def _lasting_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.daemon}


def _sockets() -> dict[str, str]:
    """Every open socket of this process, by inode, with its descriptor; none where the kernel shows no /proc."""
    found: dict[str, str] = {}
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        return found
    for descriptor in descriptors.iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # the descriptor of this very listing
            continue
        if target.startswith("socket:"):
            found[target] = descriptor.name
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves an asyncio task, a non-daemon thread or a socket behind."""
    threads, sockets = _lasting_threads(), _sockets()
    yield
    left = list(_abandoned_tasks)
    _abandoned_tasks.clear()
    for thread in _lasting_threads() - threads:
        thread.join(timeout=1.0)  # one that is ending may do so
        if thread.is_alive():
            left.append(f"thread {thread.name}")
    left.extend(f"{inode} (descriptor {fd})" for inode, fd in _sockets().items() if inode not in sockets)
    if left:
        pytest.fail("left behind: " + ", ".join(left), pytrace=False)


# --- the reference records --------------------------------------------------------------------------------------------


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> Path:
    """The folder of reference records; only for tests marked `reference`, which skip where it is absent."""
    node = cast("pytest.Item", request.node)
    if node.get_closest_marker("reference") is None:
        pytest.fail("a test that reads the reference records is marked `reference`", pytrace=False)
    return REFERENCE


# --- nothing skips unnoticed ------------------------------------------------------------------------------------------


def _may_skip(item: pytest.Item) -> bool:
    return item.get_closest_marker("reference") is not None and not REFERENCE.is_dir()


def _refusal(reason: object) -> str:
    return f"skipped, but TIDEWATT_STRICT_SKIPS=1 lets only `reference` tests skip: {reason}"


def _may_take(item: pytest.Item) -> float:
    """Seconds, roughly: its own time-out, or that it is slow."""
    timeout, slow = item.get_closest_marker("timeout"), item.get_closest_marker("slow")
    return float(timeout.args[0]) if timeout is not None else float(slow is not None)


def _is_in_real_time(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(marker) is not None for marker in ("wire", "system"))


def pytest_configure() -> None:
    _watch_cancelled_at_close()
    gc.disable()  # thousands of tests are found without a look at all of them again and again


def pytest_collection_finish() -> None:
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files that were chosen.

    Those in real time come last, so that nothing that keeps a core busy disturbs what they time. Before that, those
    that take long begin first, so that no core has one left at the end while the other waits.
    """
    in_real_time = {item.path for item in items if _is_in_real_time(item)}
    longest: dict[Path, float] = {}
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0.0), _may_take(item))
    items.sort(key=lambda item: (item.path in in_real_time, -longest[item.path]))
    for item in items:
        if _may_skip(item):
            item.add_marker(pytest.mark.skip(reason=f"no reference records at {REFERENCE}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected = hasattr(report, "wasxfail") or _may_skip(item)
    if STRICT_SKIPS and report.skipped and not expected:
        report.outcome = "failed"
        report.longrepr = _refusal(call.excinfo.value if call.excinfo else "")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if STRICT_SKIPS and report.skipped:
        report.outcome = "failed"
        report.longrepr = _refusal(report.longrepr)
    return report
