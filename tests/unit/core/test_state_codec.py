"""What a strategy remembers comes back from the store as it was, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.state_codec import decode, encode


@dataclass(frozen=True, slots=True)
class Inner:
    day: date
    level: float


@dataclass(frozen=True, slots=True)
class State:
    count: int
    running: bool
    name: str
    since: datetime | None
    inner: Inner
    history: tuple[Inner, ...]
    pair: tuple[int, str]
    by_name: dict[str, float]


inner = st.builds(Inner, st.dates(), st.floats(allow_nan=False))
states = st.builds(
    State,
    st.integers(),
    st.booleans(),
    st.text(),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    inner,
    st.lists(inner, max_size=4).map(tuple),
    st.tuples(st.integers(), st.text()),
    st.dictionaries(st.text(), st.floats(allow_nan=False), max_size=4),
)


@given(states)
def test_there_and_back(state: State) -> None:
    assert decode(State, json.loads(json.dumps(encode(state)))) == state


def test_a_number_without_decimals_stays_a_float() -> None:
    back = decode(Inner, json.loads('{"day": "2026-07-06", "level": 1}'))
    assert isinstance(back.level, float)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        {},
        {"day": "2026-07-06"},
        {"day": "2026-07-06", "level": 1.0, "more": 1},
        {"day": "yesterday", "level": 1.0},
        {"day": 7, "level": 1.0},
        {"day": "2026-07-06", "level": "high"},
        {"day": "2026-07-06", "level": None},
    ],
)
def test_what_does_not_fit_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(Inner, data)


def test_what_cannot_be_stored_is_named() -> None:
    with pytest.raises(TypeError, match="set cannot be stored"):
        encode({1, 2})
