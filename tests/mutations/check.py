"""`make mutations`: whether the tests notice each mutation of `tests/mutations/table.py`, on a copy of the tree.

Two copies at a time. First the tests have to pass as they are. Each mutation is one run of its tests, stopped at the
first that fails; a run that fails for any other reason than a failed test proves nothing and is told. Exits with 1 if a
mutation survives.

    .venv/bin/python -m tests.mutations.check
    .venv/bin/python -m tests.mutations.check fire ledger
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutations.table import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
PROCESSES = 2
TESTS_FAILED = 1
LONGEST_S = 300.0
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
PACKAGES = ("controller", "drivers", "strategies", "simulator")
PARTS = (*PACKAGES, "config", "tests", "pyproject.toml")


class Copy:
    """A copy of the tree in which one file at a time is another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ignored = shutil.ignore_patterns("node_modules", "__pycache__", "state")
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=ignored)
            else:
                shutil.copy(source, folder / part)
        # Checked by their content: what is replaced within a second and is as long as before would not be noticed.
        self._python("-m", "compileall", "-q", "--invalidation-mode", "checked-hash", *PACKAGES)

    def run(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        options = ("-x", "-q", "--tb=no", "-p", "no:cacheprovider")
        # Of a sweep of deaths a sample will do; elsewhere the test that notices may be a slow one.
        sample = ("-m", "not slow") if any(test.startswith("tests/fault/") for test in tests) else ()
        return self._python("-m", "pytest", *options, *sample, *tests)

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self._folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_S,
        )

    def caught_by(self, mutation: Mutation) -> str | None:
        """The test that noticed it, or None. Raises RuntimeError if the tests could not be run."""
        path = self._folder / mutation.file
        whole = path.read_text(encoding="utf-8")
        if whole.count(mutation.old) != 1:
            raise RuntimeError(f"{mutation.name}: what is to be replaced must occur once in {mutation.file}")
        path.write_text(whole.replace(mutation.old, mutation.new), encoding="utf-8")
        try:
            answer = self.run(mutation.tests)
        except subprocess.TimeoutExpired:
            return "time-out"
        finally:
            path.write_text(whole, encoding="utf-8")
        if answer.returncode == 0:
            return None
        failed = FAILED.search(answer.stdout)
        if answer.returncode != TESTS_FAILED or failed is None:
            raise RuntimeError(
                f"{mutation.name}: the tests did not run:\n{answer.stdout[-2000:]}{answer.stderr[-2000:]}"
            )
        return failed.group(1)


def check(mutations: Sequence[Mutation]) -> list[tuple[Mutation, str | None]]:
    """Each mutation and what caught it, in their order. Raises RuntimeError where a test fails without any."""
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder, ThreadPoolExecutor(PROCESSES) as threads:
        copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for number in range(PROCESSES):
            copies.put(Copy(Path(folder) / str(number)))

        def pass_as_it_is(tests: str) -> None:
            copy = copies.get()
            answer = copy.run([tests])
            copies.put(copy)
            if answer.returncode:
                raise RuntimeError(f"{tests} fails without any mutation:\n{answer.stdout[-2000:]}")

        list(threads.map(pass_as_it_is, sorted({tests for each in mutations for tests in each.tests})))

        def one(mutation: Mutation) -> tuple[Mutation, str | None]:
            copy = copies.get()
            try:
                found = copy.caught_by(mutation)
            finally:
                copies.put(copy)
            sys.stdout.write(f"{mutation.name:<58} {found or '*** survives ***'}\n")
            sys.stdout.flush()
            return mutation, found

        return list(threads.map(one, mutations))


def main(words: Sequence[str]) -> int:
    chosen = [each for each in MUTATIONS if not words or any(word in f"{each.name} {each.file}" for word in words)]
    found = check(chosen)
    survivors = [mutation.name for mutation, caught_by in found if caught_by is None]
    sys.stdout.write(f"{len(found)} mutations, {len(found) - len(survivors)} caught\n")
    for name in survivors:
        sys.stdout.write(f"survives: {name}\n")
    return 1 if survivors or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
