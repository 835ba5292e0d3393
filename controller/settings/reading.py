"""One file read as far as it can be: a defect in one entry does not hide those in the others."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel

from controller.settings.document import Document, Step, Tree, Where, at, load
from controller.settings.problems import Problems
from controller.settings.validate import Fault, checker

ModelT = TypeVar("ModelT", bound=BaseModel)
PieceT = TypeVar("PieceT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reading(Generic[ModelT]):
    """model: the whole file, None if anything in it is wrong; its pieces can be had all the same."""

    document: Document
    model: ModelT | None
    _known: Tree

    def piece(self, where: Where, model: type[PieceT]) -> PieceT | None:
        """What stands at `where`, as far as the model knows its keys; None where that is defective (told already)."""
        ready = _part(self.model, where)
        if isinstance(ready, model):
            return ready
        found = at(self._known, where)
        if isinstance(found, dict):
            names = {field.alias or name for name, field in model.model_fields.items()}
            found = {key: value for key, value in found.items() if key in names}
        return checker(model).check(found)[0]

    def has_unknown(self, where: Where) -> bool:
        """Whether unknown keys were left out of what stands there: what is missing may then be misspelt."""
        return at(self._known, where) != self.document.get(where)

    def items(self, where: Where) -> list[Where]:
        """The places of the entries of a list or mapping."""
        found = self.document.get(where)
        if isinstance(found, list):
            return [(*where, index) for index in range(len(found))]
        if isinstance(found, dict):
            return [(*where, key) for key in found]
        return []


def read(file: Path, model: type[ModelT], problems: Problems) -> Reading[ModelT] | None:
    """The file checked against its model, every fault noted; None where it is no YAML file."""
    document = load(file, problems)
    if document is None:
        return None
    return checked(document, model, problems)


def checked(document: Document, model: type[ModelT], problems: Problems) -> Reading[ModelT]:
    """What is read already, checked against its model, every fault noted."""
    found, faults = checker(model).check(document.tree)
    note(problems, document, (), faults)
    return Reading(document, found, _without_unknown(document.tree, faults))


def note(problems: Problems, document: Document, where: Where, faults: list[Fault]) -> None:
    for fault in faults:
        problems.add(document.file, document.line((*where, *fault.where)), fault.wrong, fault.right)


def _part(found: Any, where: Where) -> Any:
    """What of a checked file stands at a place; None where nothing does."""
    for step in where:
        if isinstance(found, BaseModel):
            found = getattr(found, _attributes(type(found)).get(step, ""), None)
        elif isinstance(found, dict):
            found = cast("dict[Step, Any]", found).get(step)
        elif isinstance(found, tuple) and isinstance(step, int):
            found = cast("tuple[Any, ...]", found)[step]
        else:
            return None
    return found


@cache
def _attributes(model: type[BaseModel]) -> Mapping[Step, str]:
    """By key in the file."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def _without_unknown(tree: Tree, faults: list[Fault]) -> Tree:
    unknown = [fault.where for fault in faults if fault.unknown]
    if not unknown:
        return tree
    known = copy.deepcopy(tree)
    for where in unknown:
        inside = at(known, where[:-1])
        if isinstance(inside, dict):
            inside.pop(str(where[-1]), None)
    return known
