"""Kinds that are found by name: drivers and strategies, built in or from other distributions.

Built-in ones stand in a table, so that a fresh checkout works without installing it again. Other distributions add
theirs through an entry-point group, as `name = "their_package.module:KIND"`. A module is loaded when a site first asks
for it, so that what one kind needs does not hurt the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from controller.core.errors import EnvironmentProblem


class Named(Protocol):
    @property
    def name(self) -> str: ...


KindT = TypeVar("KindT", bound=Named)


class Registry(Generic[KindT]):
    """`what` is the word for one of them; `installed` stands in for this installation's entry points."""

    def __init__(
        self,
        what: str,
        kind: type[KindT],
        built_in: Mapping[str, str],
        group: str,
        installed: Iterable[EntryPoint] | None = None,
    ) -> None:
        self._what = what
        self._kind = kind
        self._built_in = built_in
        self._group = group
        self._installed = installed

    @cached_property
    def places(self) -> Mapping[str, str]:
        """Name -> "module:KIND" of all. Raises EnvironmentProblem where a name is there twice: nobody could tell
        which one acts."""
        places = dict(self._built_in)
        for entry in entry_points(group=self._group) if self._installed is None else self._installed:
            if entry.name in places:
                raise EnvironmentProblem(
                    f"two of the {self._what} kind are called {entry.name}: {places[entry.name]} and {entry.value}; "
                    "remove the package that brings one of them"
                )
            places[entry.name] = entry.value
        return places

    def kind(self, name: str) -> KindT:
        """The kind of that name, its module loaded. Raises LookupError for a name that nobody registered."""
        if name not in self.places:
            raise LookupError(f"there is no {self._what} {name}; there are {', '.join(sorted(self.places))}")
        return self.load(name, self.places[name])

    def load(self, name: str, place: str) -> KindT:
        """What stands at "module:KIND". Raises EnvironmentProblem where that is nothing of this kind and name."""
        module, _, attribute = place.partition(":")
        try:
            kind = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise EnvironmentProblem(f"{self._what} {name} cannot be loaded from {place}: {error}") from error
        if not isinstance(kind, self._kind) or kind.name != name:
            raise EnvironmentProblem(f"{self._what} {name}: {place} is no {self._kind.__name__} of that name")
        return kind
