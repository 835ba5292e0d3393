"""Names of drivers and strategies, looked up in registries that are handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from controller.settings.problems import shown

KindT = TypeVar("KindT")


def look_up(kind_of: Callable[[str], KindT], name: str, meaning: str, tell: Callable[[str, str], None]) -> KindT | None:
    """The kind of that name. A registry raises LookupError, best with "what is wrong; what would be right"."""
    try:
        return kind_of(name)
    except LookupError as error:
        wrong, separator, right = str(error.args[0] if error.args else "").partition("; ")
        if separator:
            tell(wrong, right)
        else:
            tell(f"'{shown(name)}' is not among the {meaning}", f"docs/configuration.md lists the {meaning}")
    return None
