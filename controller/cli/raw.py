"""Points as the wire has them: raw beside scaled, with the time that the question took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from controller.cli import words
from controller.cli.arguments import language
from controller.cli.client import RequestRefused, ask
from controller.cli.output import print_json, say
from controller.core.text import Text
from controller.runtime.inspector import LONGEST_INSPECTION_S

# Time for the daemon to say that a device did not answer.
ANSWER_WITHIN_S = LONGEST_INSPECTION_S + 5.0
_RAW = Text("raw", "原始值")


def inspect(site: Path, point: str) -> dict[str, Any]:
    """The device's answer to one question, asked now. Raises RequestRefused where it cannot be asked."""
    return ask(site, "inspect", within_s=ANSWER_WITHIN_S, point=point)


def print_raw(site: Path, points: Iterable[str], *, as_json: bool) -> bool:
    """Ask for one point after the other and print each answer as it comes; whether all could be asked."""
    answers = _answers(site, points)
    if as_json:
        shown = dict(answers)
        print_json(shown)
        return all("error" not in answer for answer in shown.values())
    well = True
    for point, answer in answers:
        say(line(point, answer), flush=True)
        well = well and "error" not in answer
    return well


def _answers(site: Path, points: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for point in points:
        yield point, answer_or_refusal(site, point)


def answer_or_refusal(site: Path, point: str) -> dict[str, Any]:
    """One point that cannot be asked for hides no other."""
    try:
        return inspect(site, point)
    except RequestRefused as error:
        return {"point": point, "error": str(error)}


def line(point: str, answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{point:<58} {answer['error']}"
    value = words.value(answer["value"], answer["unit"], language())
    return f"{point:<58} {value:>12}  {seen(answer)}"


def seen(answer: dict[str, Any]) -> str:
    """raw 0x0320  good  3.2 ms"""
    quality = words.term(answer["quality"], language())
    quality = f"{quality} ({answer['reason']})" if answer["reason"] else quality
    return f"{_RAW.in_language(language())} {answer['raw']}  {quality}  {answer['round_trip_ms']:.1f} ms"
