"""Jobs in another process: the result, or one kind of failure and a fresh process for the next job."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from controller.runtime import workers as module
from controller.runtime.clock import RealClock
from controller.runtime.workers import MEMORY_CAP_BYTES, WorkerFailed, WorkerProcess, Workers
from tests.unit.runtime import jobs


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = WorkerProcess(RealClock())
    yield workers
    await workers.close()


async def test_jobs_run_one_after_the_other_in_one_other_process(workers: Workers) -> None:
    assert await workers.run(jobs.double, 21.0, 10.0) == 42.0
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(workers.run(jobs.process_of, None, 10.0)) for _ in range(5)]
    processes = {each.result() for each in asked}
    assert len(processes) == 1
    assert os.getpid() not in processes


async def test_a_job_larger_than_a_pipe_holds_arrives_whole(workers: Workers) -> None:
    sent = list(range(500_000))
    assert await workers.run(list, sent, 10.0) == sent


def _local() -> Callable[[Any], Any]:
    def job(value: Any) -> Any:
        return value

    return job


@pytest.mark.parametrize(
    "job, argument, words",
    [
        (jobs.fail, None, "ZeroDivisionError: a mistake in a plan"),
        (jobs.crash, None, "process ended"),
        (jobs.hang, None, "process ended"),
        (jobs.hoard, MEMORY_CAP_BYTES, "MemoryError"),
        (jobs.answer_that_cannot_travel, None, "process ended"),
        (_local(), 1, "cannot travel"),
    ],
)
async def test_whatever_goes_wrong_the_next_job_finds_a_process(
    workers: Workers, job: Callable[[Any], Any], argument: Any, words: str
) -> None:
    with pytest.raises(WorkerFailed, match=words):
        await workers.run(job, argument, 0.3)
    assert workers.failures == 1
    assert await workers.run(jobs.double, 3.0, 10.0) == 6.0


@pytest.mark.slow
async def test_a_process_that_is_stopped_is_killed_from_our_side(workers: Workers) -> None:
    with pytest.raises(WorkerFailed, match="no answer"):
        await workers.run(jobs.stop, None, 0.1)
    assert module.GRACE_S <= 5.0
    assert await workers.run(jobs.double, 3.0, 10.0) == 6.0


async def test_a_job_that_is_given_up_leaves_no_process_behind(workers: Workers) -> None:
    process = await workers.run(jobs.process_of, None, 10.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await workers.run(jobs.hang, None, 60.0)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_closing_ends_the_process_and_may_be_done_twice(workers: Workers) -> None:
    process = await workers.run(jobs.process_of, None, 10.0)
    await workers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    await workers.close()
