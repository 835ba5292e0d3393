"""Sweeps, of which the fast tests take a sample; all of each belongs to `make test-all`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import settings


def sweep(values: Sequence[Any], fast: int = 2) -> list[Any]:
    """For `parametrize`: all values, but for `fast` of them, spread over the whole, marked slow."""
    step = max(1, len(values) // fast)
    chosen = range(step // 2, step * fast, step)
    return [
        value if index in chosen else pytest.param(value, marks=pytest.mark.slow) for index, value in enumerate(values)
    ]


def examples(count: int, **given: Any) -> settings:
    """So many examples of a property, a fifth of them in the fast tests."""
    is_quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=max(1, count // 5) if is_quick else count, **given)
