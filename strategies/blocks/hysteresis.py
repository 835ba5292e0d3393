"""A switch with two limits, so that noise around one of them does not make it chatter."""

from __future__ import annotations


def below(value: float, *, limit: float, release: float, was: bool) -> bool:
    """Whether the value counts as low: yes under `limit`, no over `release` (>= limit), as it was in between.

    >>> below(30.0, limit=20.0, release=40.0, was=True)
    True
    """
    if value < limit:
        return True
    if value > release:
        return False
    return was
