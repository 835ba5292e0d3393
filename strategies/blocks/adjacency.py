"""Which groups of lamps lie beside which, along the ways that people drive and walk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def around(paths: Iterable[Sequence[int]], steps: int) -> dict[int, frozenset[int]]:
    """For each group the others that lie within so many steps along one of the paths, in both directions.

    >>> around([(1, 2, 3, 4)], 2)[1] == {2, 3}
    True
    """
    found: dict[int, set[int]] = {}
    for path in paths:
        for place, group in enumerate(path):
            near = path[max(0, place - steps) : place + steps + 1]
            found.setdefault(group, set()).update(other for other in near if other != group)
    return {group: frozenset(others) for group, others in found.items()}


def together(*ways: dict[int, frozenset[int]]) -> dict[int, frozenset[int]]:
    """The neighbours by all ways."""
    groups = {group for way in ways for group in way}
    nobody: frozenset[int] = frozenset()
    return {group: nobody.union(*(way.get(group, nobody) for way in ways)) for group in groups}
