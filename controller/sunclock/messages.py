"""What a group chat is told: a line a place, a link to answer with, and the picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from controller.core.text import Text
from controller.sunclock import words
from controller.sunclock.picture import MOST_ON_A_BOARD, board, site_picture
from controller.sunclock.robot import MOST_MARKDOWN, MOST_TEXT, Content, markdown, parts, text
from controller.sunclock.sun_times import Day, Event
from controller.sunclock.tasks import ANSWER_PATH, Asked, Task

_DONE = Text("done", "完成")
_OVERDUE = Text("Not done, and due", "逾期未完成")


def asked(day: Day) -> Asked:
    """The task that a place's day is."""
    return Asked(day.place.name, day.date, "\n".join(_times(day)))


def times(days: Sequence[Day], links: Mapping[str, str], *, is_markdown: bool) -> list[Content]:
    """Every place in a line, in as many messages as needed. links: by place, "" for none."""
    dates = " / ".join(sorted({f"{day.date:%Y-%m-%d}" for day in days}))
    title = f"{words.TITLE.zh} {words.TITLE.en} {dates}"
    if is_markdown:
        lines = [_marked(day, links.get(day.place.name, "")) for day in days]
        return [markdown(each) for each in parts(f"**{title}**", lines, MOST_MARKDOWN)]
    lines = [_plain(day, links.get(day.place.name, "")) for day in days]
    return [text(each) for each in parts(title, lines, MOST_TEXT)]


def pictures(days: Sequence[Day], illuminance: float) -> list[str]:
    """One place in full; several as boards. SVG."""
    if len(days) == 1:
        return [site_picture(days[0], illuminance)]
    return [board(days[nth : nth + MOST_ON_A_BOARD], illuminance) for nth in range(0, len(days), MOST_ON_A_BOARD)]


def overdue(tasks: Iterable[Task]) -> list[Content]:
    """For whoever answers for those who have not answered."""
    lines = [f"{task.day:%Y-%m-%d} {task.place}: {task.request.replace(chr(10), '; ')}" for task in tasks]
    return [text(each) for each in parts(f"{_OVERDUE.zh} {_OVERDUE.en} ({len(lines)}):", lines, MOST_TEXT)]


def link(answers: str, task: Task) -> str:
    """answers: where staff reach the server of answers."""
    return f"{answers.rstrip('/')}{ANSWER_PATH}{task.word}"


def _times(day: Day) -> tuple[str, str]:
    """Both switchings with how they shift, in both languages."""
    return _time(day, Event.LAMPS_OFF, day.off_later_tomorrow), _time(day, Event.LAMPS_ON, day.on_later_tomorrow)


def _time(day: Day, event: Event, later: int | None) -> str:
    what, when, moved = words.EVENTS[event], words.switching(day, event), words.shift(later)
    time = when.en if when.en == when.zh else f"{when.zh} {when.en}"
    shift = f" ({words.TOMORROW.zh}{moved.zh}, {words.TOMORROW.en} {moved.en})" if moved.en else ""
    return f"{what.zh} {what.en} {time}{shift}"


def _name(day: Day) -> str:
    place = day.place
    return place.name if place.name == place.name_zh else f"{place.name_zh} {place.name}"


def _plain(day: Day, to: str) -> str:
    answer = f" {_DONE.zh} {_DONE.en}: {to}" if to else ""
    return f"{_name(day)}: {', '.join(_times(day))}{answer}"


def _marked(day: Day, to: str) -> str:
    answer = f" [{_DONE.zh} {_DONE.en}]({to})" if to else ""
    return f"> {_escaped(_name(day))}: {', '.join(_times(day))}{answer}"


def _escaped(name: str) -> str:
    """Names cannot become links or mentions."""
    return name.translate(str.maketrans({"[": "(", "]": ")", "<": "(", ">": ")", "*": " ", "`": "'"}))
