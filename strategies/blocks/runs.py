"""Numbers of groups and rows, as people write them."""

from __future__ import annotations

from collections.abc import Sequence


def runs(numbers: Sequence[int]) -> str:
    """In order of size.

    >>> runs([1, 2, 3, 5])
    '1-3, 5'
    """
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found)
