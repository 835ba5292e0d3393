"""Plans run in another process: one job at a time, with a deadline, a memory cap, and a new one after every mishap.

The process enforces its own deadline and ends by itself when idle, in real time, so that the same holds on virtual
time, which stands still while a job runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from controller.core.ports import Clock
from controller.runtime.supervisor import outcome

# Beyond a job's own deadline its process is killed from our side: a stopped process cannot keep its alarm.
GRACE_S = 5.0
MEMORY_CAP_BYTES = 4 * 1024**3


class WorkerFailed(Exception):
    """The job gave no result: it raised, crashed, took too long or took too much memory."""


class Job(NamedTuple):
    """What travels to the process: function and argument must be picklable; deadline in real seconds; cap in bytes."""

    function: Callable[[Any], Any]
    argument: Any
    deadline: float
    memory_cap: int


class Workers(Protocol):
    """Where plans and forecasts are made. failures: jobs that gave no result."""

    failures: int

    async def run(self, function: Callable[[Any], Any], argument: Any, deadline: float) -> Any:
        """The function's result. Raises WorkerFailed; the next job is not affected. deadline: real seconds."""
        ...

    async def close(self) -> None: ...


class InThisProcess:
    """Makes plans where they are asked for: for backtests, whose process is nobody's daemon and whose clock waits."""

    def __init__(self) -> None:
        self.failures = 0

    async def run(self, function: Callable[[Any], Any], argument: Any, deadline: float) -> Any:
        del deadline
        succeeded, answer = outcome(function, argument)
        if not succeeded:
            self.failures += 1
            raise WorkerFailed(answer)
        return answer

    async def close(self) -> None:
        """Nothing to end."""


class WorkerProcess:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self.failures = 0

    async def run(self, function: Callable[[Any], Any], argument: Any, deadline: float) -> Any:
        """The function's result. Raises WorkerFailed; the next job then finds a fresh process."""
        job = Job(function, argument, deadline, MEMORY_CAP_BYTES)
        async with self._turn:
            with self._clock.outside():
                try:
                    async with asyncio.timeout(deadline + GRACE_S):
                        return await self._answer(job)
                except WorkerFailed:
                    self.failures += 1
                    raise
                except TimeoutError as error:
                    self.failures += 1
                    await self._end()
                    raise WorkerFailed(f"no answer within {deadline:g} s") from error
                except BaseException:
                    # A process that owes an answer can never be asked again, whoever gave up on it.
                    self.failures += 1
                    await self._end()
                    raise

    async def close(self) -> None:
        async with self._turn:
            with self._clock.outside():
                await self._end()

    async def _answer(self, job: Job) -> Any:
        fresh = self._process is None
        try:
            succeeded, answer = await self._exchange(job)
        except (OSError, asyncio.IncompleteReadError) as error:
            await self._end()
            if not fresh:
                # It may have ended by itself, idle, just before we asked.
                return await self._answer(job)
            raise WorkerFailed("its process ended: deadline, memory cap or crash") from error
        if not succeeded:
            raise WorkerFailed(answer)
        return answer

    async def _exchange(self, job: Job) -> tuple[bool, Any]:
        try:
            message = pickle.dumps(job)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise WorkerFailed(f"the job cannot travel to another process: {error}") from error
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(len(message).to_bytes(8, "big") + message)
        await process.stdin.drain()
        length = int.from_bytes(await process.stdout.readexactly(8), "big")
        return pickle.loads(await process.stdout.readexactly(length))

    async def _start(self) -> Process:
        # The child finds the same packages wherever this process was started from.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "controller.runtime.worker_process", stdin=PIPE, stdout=PIPE, env=environment
        )
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # communicate also closes the pipes.
        await process.communicate()
