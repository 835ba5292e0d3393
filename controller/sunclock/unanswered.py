"""Tasks that are due and not done, as alarms: one a place, or one for all where more places are silent
than a person can follow alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from controller.core.alarm_route import FLOOD_BEGINS
from controller.core.text import Text
from controller.sunclock.tasks import Task

_MOST_NAMED = 5


def alarms_of(tasks: Sequence[Task], site: str, zone: ZoneInfo) -> Mapping[str, Text]:
    """By subject, why. tasks: one a place. site: the subject that stands for all of them."""
    if len(tasks) > FLOOD_BEGINS:
        named = ", ".join(task.place for task in tasks[:_MOST_NAMED])
        count = len(tasks)
        return {site: Text(f"{count} places have not answered: {named} ...", f"{count} 处未登记完成：{named} 等")}
    return {task.place: _why(task, zone) for task in tasks}


def _why(task: Task, zone: ZoneInfo) -> Text:
    due = f"{task.due.astimezone(zone):%Y-%m-%d %H:%M}"
    return Text(f"the times of {task.day} were due by {due}", f"{task.day} 的时刻应于 {due} 前设好")
