"""The day's times to a group chat, with a task a place that somebody answers for; the unanswered to somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from controller.core.ports import Clock
from controller.sunclock import messages
from controller.sunclock.raster import as_png
from controller.sunclock.robot import Robot, image
from controller.sunclock.sun_times import Day
from controller.sunclock.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Answering:
    """address: where staff reach the server of answers. within: how long after asking a task is due."""

    tasks: Tasks
    address: str
    within: timedelta


async def push(
    days: Sequence[Day], illuminance: float, robot: Robot, clock: Clock, answering: Answering | None, *, markdown: bool
) -> int:
    """Text first: it arrives although no picture can be made. Answers the number of messages.

    Raises EnvironmentProblem; what was not sent stays in the list of tasks as not sent.
    """
    links: dict[str, str] = {}
    asked: list[str] = []
    if answering is not None:
        due = clock.now() + answering.within
        for task in answering.tasks.ask(map(messages.asked, days), due):
            links[task.place] = messages.link(answering.address, task)
            asked.append(task.word)
    texts = messages.times(days, links, is_markdown=markdown)
    await robot.deliver(texts)
    if answering is not None:
        answering.tasks.sent(asked, clock.now())
    pictures = [image(as_png(each)) for each in messages.pictures(days, illuminance)]
    await robot.deliver(pictures)
    return len(texts) + len(pictures)


async def escalate(tasks: Tasks, robot: Robot, clock: Clock) -> int:
    """Tell of every task that is due and not done, once. Answers how many. Raises EnvironmentProblem."""
    found = tasks.overdue(clock.now())
    if found:
        await robot.deliver(messages.overdue(found))
        tasks.escalated([task.word for task in found], clock.now())
    return len(found)
