"""What a measured time-out says of the declared one."""

from __future__ import annotations

import pytest

from controller.core.commissioning import Result
from controller.core.silence import Dropped, finding


@pytest.mark.parametrize(
    "dropped, result, words",
    [
        (Dropped(59.4, 60.0), Result.PASSED, "dropped between 59.4 s and 60.0 s"),
        (Dropped(53.9, 54.4), Result.PASSED, "60 s are declared"),
        (Dropped(64.8, 66.8), Result.PASSED, "60 s are declared"),
        (Dropped(28.5, 29.0), Result.FAILED, "earlier than the 60 s"),
        (Dropped(70.0, 70.5), Result.FAILED, "later than the 60 s"),
        (None, Result.FAILED, "not dropped within 130 s"),
    ],
)
def test_the_finding(dropped: Dropped | None, result: Result, words: str) -> None:
    found = finding(60.0, dropped, 130.0)
    assert found.result is result
    assert words in found.note.en
    assert found.measured == ("> 130 s" if dropped is None else f"{dropped.by:.1f} s")
    assert found.note.zh
