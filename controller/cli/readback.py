"""What became of a command: waited for, told, and read back as the wire has it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.cli import raw, words
from controller.cli.arguments import language
from controller.cli.client import ask
from controller.core.ports import Clock
from controller.core.text import Language, Text

LOOK_EVERY_S = 0.1

_HELD_BACK = Text("held back by {} at level {}", "被 {}（优先级 {}）压制")
_NOT_YET = Text("waiting for the next scan", "等待下一次扫描")
_ON_ITS_WAY = Text("written, waiting for the read-back", "已写入，等待回读")
_TAKEN_BACK = Text("the command has ended", "命令已结束")
_VERDICT = Text("{} after {:.1f} s: wrote {}, read {}", "{}，用时 {:.1f} 秒：写入 {}，回读 {}")
_OPEN = Text("not settled after {:.1f} s: {}; the command stands", "{:.1f} 秒后仍未完成：{}；命令仍有效")


class Readback:
    """One command followed to its verdict. verdict: of the ledger, "pending" for as long as there is none."""

    def __init__(self, site: Path, point: str, value: Any, clock: Clock) -> None:
        self._site = site
        self._point = point
        self._value = value
        self._clock = clock
        self._began = clock.monotonic()
        self.elapsed = 0.0
        self.answer: dict[str, Any] = {}

    def follow(self, within: float, tell: Callable[[str], None]) -> None:
        """Look until there is a verdict, or `within` seconds are over; tell each new reason to wait."""
        pause, told = threading.Event(), ""
        while True:
            self.answer = ask(self._site, "explain", point=self._point)
            self.elapsed = self._clock.monotonic() - self._began
            if self.verdict != "pending" or self.elapsed >= within:
                return
            why = why_pending(self.answer, self._value, language())
            if why != told:
                tell(why)
                told = why
            pause.wait(LOOK_EVERY_S)

    @property
    def verdict(self) -> str:
        return verdict_of(self.answer, self._value)

    def told(self) -> list[str]:
        """The verdict in words, then the read-back point as the wire has it."""
        chosen, answer = language(), self.answer
        if self.verdict == "pending":
            why = why_pending(answer, self._value, chosen)
            return [_OPEN.in_language(chosen).format(self.elapsed, why)]
        unit, holding = answer["sample"]["unit"], answer["holding"]
        written = words.value(holding["written"], unit, chosen)
        read = words.value(answer["readback"]["value"], answer["readback"]["unit"], chosen)
        verdict = words.term(holding["verdict"], chosen)
        lines = [_VERDICT.in_language(chosen).format(verdict, self.elapsed, written, read)]
        if holding["refusal"]:
            lines.append(holding["refusal"])
        seen = raw.answer_or_refusal(self._site, answer["readback_point"])
        return [*lines, raw.line(answer["readback_point"], seen)]

    def as_data(self) -> dict[str, Any]:
        """What explain answers, with the verdict, the seconds that it took, and the read-back as the wire has it."""
        inspected = raw.answer_or_refusal(self._site, self.answer["readback_point"])
        return {
            **self.answer,
            "verdict": self.verdict,
            "after_s": round(self.elapsed, 3),
            "inspected": inspected,
        }


def verdict_of(answer: dict[str, Any], value: Any) -> str:
    """The ledger's verdict on this very value, "pending" where it has not been written yet."""
    holding = answer.get("holding")
    if holding is None or holding["releasing"] or not _is_same(holding["written"], value):
        return "pending"
    return holding["verdict"]


def why_pending(answer: dict[str, Any], value: Any, chosen: Language) -> str:
    winner, holding = answer["winner"], answer.get("holding")
    if winner is None:
        return _TAKEN_BACK.in_language(chosen)
    if winner["priority"] < 8:
        return _HELD_BACK.in_language(chosen).format(winner["source"], winner["priority"])
    for reason in ("limit", "waiting"):
        if answer[reason][chosen]:
            return answer[reason][chosen]
    if holding is not None and _is_same(holding["written"], value):
        return _ON_ITS_WAY.in_language(chosen)
    return _NOT_YET.in_language(chosen)


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(float(one), float(other))
