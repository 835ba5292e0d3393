"""A day's messages, made where it may take its time: in the daemon's worker process."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from controller.core.errors import ConfigError, EnvironmentProblem
from controller.sunclock import messages
from controller.sunclock.picture import MOST_ON_A_BOARD
from controller.sunclock.places import read_places
from controller.sunclock.raster import as_png
from controller.sunclock.robot import Content, image
from controller.sunclock.sun_times import Day, day, timelines
from controller.sunclock.tasks import Tasks

# Of the lines that are wrong, so many are named.
_MOST_NAMED = 3
# Of a long list the first boards are drawn, 300 places: nobody looks at more in a chat.
_MOST_PICTURES = 10


class Order(NamedTuple):
    """tasks: the file of them, None where nobody is asked to answer. due: of the tasks."""

    places: Path
    day: date
    illuminance: float
    is_markdown: bool
    has_pictures: bool
    tasks: Path | None
    answers: str
    due: datetime


class Made(NamedTuple):
    """words: of the tasks that the texts ask for. flaws: what is not in the messages, and why. trouble: why there are
    none."""

    texts: tuple[Content, ...] = ()
    pictures: tuple[Content, ...] = ()
    words: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    trouble: str = ""


def make(order: Order) -> Made:
    """Asks for the tasks, too. What people can mend is told in the result."""
    try:
        places = read_places(order.places, order.day.year, order.illuminance)
        # A date that a zone has left out is nobody's day there.
        days = [day(each, 0) for each in timelines(places.found, order.day, 2) if len(each.days.dates) == 2]
        links, words = _asked(order, days)
    except ConfigError as error:
        return Made(trouble=_named([str(each) for each in error.problems]))
    except EnvironmentProblem as error:
        return Made(trouble=str(error))
    flaws = (_named([str(each) for each in places.problems]),) if places.problems else ()
    if not days:
        return Made(trouble="".join(flaws))
    texts = tuple(messages.times(days, links, is_markdown=order.is_markdown))
    if not order.has_pictures:
        return Made(texts, (), words, flaws)
    try:
        drawn = messages.pictures(days[: _MOST_PICTURES * MOST_ON_A_BOARD], order.illuminance)
        pictures = tuple(image(as_png(each)) for each in drawn)
    except EnvironmentProblem as error:
        return Made(texts, (), words, (*flaws, str(error)))
    return Made(texts, pictures, words, flaws)


def _asked(order: Order, days: list[Day]) -> tuple[dict[str, str], tuple[str, ...]]:
    """A link a place, and the words of the tasks."""
    if order.tasks is None:
        return {}, ()
    asked = Tasks(order.tasks, make=True).ask(map(messages.asked, days), order.due)
    return {task.place: messages.link(order.answers, task) for task in asked}, tuple(task.word for task in asked)


def _named(problems: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(problems) - _MOST_NAMED
    return "; ".join(problems[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
