"""Few requests for many values: which properties of which objects to ask for together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, TypeAlias

from controller.core.point import Binding
from drivers.bacnet.address import BacnetAddress, ObjectId, Reference
from drivers.bacnet.names import PRESENT_VALUE, QUALITY_PROPERTIES

BacnetBinding: TypeAlias = Binding[BacnetAddress]
Block: TypeAlias = tuple[Reference, ...]

# What parts of an answer take, in bytes (ANSI/ASHRAE 135-2020, clause 20.2 and 21): a number is at most a double with
# its tag; flags, a state or an error's class and code are shorter. A text may be longer: then the device says so, and
# the block is halved.
_HEADER: Final = 5
_OBJECT: Final = 7
_BRACKETS: Final = 2
_NUMBER: Final = 10
_FLAGS: Final = 5


def wanted(bindings: Iterable[BacnetBinding]) -> tuple[Reference, ...]:
    """Every value once, object by object, each present value with what says how far it may be believed.

    The objects are in the order of the bindings, so that what should come first does.
    """
    by_object: dict[ObjectId, dict[Reference, None]] = {}
    for binding in bindings:
        reference = binding.address.reference
        references = by_object.setdefault(reference.object, {})
        references[reference] = None
        if reference.property == PRESENT_VALUE:
            references.update(dict.fromkeys(qualities(reference)))
    return tuple(reference for references in by_object.values() for reference in references)


def qualities(value: Reference) -> tuple[Reference, ...]:
    """The properties that qualify the present value of an object."""
    return tuple(Reference(value.object, property) for property in QUALITY_PROPERTIES)


def blocks(references: Sequence[Reference], longest: int, most: int | None = None) -> tuple[Block, ...]:
    """The references in their order, cut so that each answer fits into `longest` bytes, and at most `most` together.

    An object's value and what qualifies it stay together where they fit.
    """
    room = len(references) if most is None else most
    cut: list[Block] = []
    taken: list[Reference] = []
    size = _HEADER
    for _, group in groupby(references, key=lambda reference: reference.object):
        own = [*group]
        whole = _OBJECT + sum(map(_cost, own))
        fits_alone = _HEADER + whole <= longest and len(own) <= room
        new_object = True
        for reference in own:
            too_much = new_object and fits_alone and (size + whole > longest or len(taken) + len(own) > room)
            cost = _cost(reference) + (_OBJECT if new_object else 0)
            if taken and (too_much or size + cost > longest or len(taken) == room):
                cut.append(tuple(taken))
                taken, size, cost = [], _HEADER, _cost(reference) + _OBJECT
            taken.append(reference)
            size += cost
            new_object = False
    if taken:
        cut.append(tuple(taken))
    return tuple(cut)


def _cost(reference: Reference) -> int:
    value = _FLAGS if reference.property in QUALITY_PROPERTIES else _NUMBER
    element = 0 if reference.element is None else _tagged(reference.element)
    return _tagged(reference.property) + element + _BRACKETS + value


def _tagged(number: int) -> int:
    return 1 + max(1, (number.bit_length() + 7) // 8)


def halves(block: Block) -> tuple[Block, Block]:
    middle = len(block) // 2
    return block[:middle], block[middle:]


def by_device(bindings: Iterable[BacnetBinding]) -> Mapping[tuple[str, int | None], tuple[BacnetBinding, ...]]:
    """What belongs to one device, by its place or its instance number."""
    devices: dict[tuple[str, int | None], list[BacnetBinding]] = {}
    for binding in bindings:
        devices.setdefault((binding.address.device, binding.address.instance), []).append(binding)
    return {place: tuple(own) for place, own in devices.items()}
