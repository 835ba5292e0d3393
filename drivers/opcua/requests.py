"""Questions to a server and what its answers hold."""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.opcua.client import Session
from drivers.opcua.codec import built_in_type, credible_time, quality_of
from drivers.opcua.errors import Garbled, Refused

# What one request may ask for where the server names no limit.
MOST_AT_ONCE: Final = 500
# Types derive from types at most so many times; the standard's own tree is five deep.
_DEEPEST_TYPE: Final = 10

# Reference types of the standard (OPC UA Part 5, 11).
HIERARCHICAL: Final = 33
HAS_SUBTYPE: Final = 45
HAS_PROPERTY: Final = 46


def standard(number: int) -> ua.NodeId:
    """A node of the standard's own namespace."""
    identifier: Any = number
    return ua.NodeId(identifier)


def attribute(node: ua.NodeId, which: AttributeIds) -> ua.ReadValueId:
    number: Any = which
    return ua.ReadValueId(NodeId=node, AttributeId=number)


def value_of(node: ua.NodeId) -> ua.ReadValueId:
    return attribute(node, AttributeIds.Value)


def browsing(node: ua.NodeId, reference: int, *, inverse: bool = False) -> ua.BrowseDescription:
    """All nodes that the reference type, or one derived from it, leads to; with their names and classes."""
    direction = ua.BrowseDirection.Inverse if inverse else ua.BrowseDirection.Forward
    mask: Any = ua.BrowseResultMask.All
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=direction,
        ReferenceTypeId=standard(reference),
        IncludeSubtypes=True,
        ResultMask=mask,
    )


def held(data: ua.DataValue) -> Any:
    """What a node holds, of any type; None where it holds nothing, or nothing good."""
    is_bad = data.StatusCode is not None and quality_of(data.StatusCode.value)
    return None if is_bad or data.Value is None else data.Value.Value


def limit_in(data: ua.DataValue) -> int:
    """How much a server takes; 0 and silence mean that it names no limit."""
    limit = held(data)
    return min(limit, MOST_AT_ONCE) if isinstance(limit, int) and limit > 0 else MOST_AT_ONCE


def texts_in(data: ua.DataValue) -> Sequence[str]:
    texts = held(data)
    if not isinstance(texts, list):
        return []
    return [str(text.Text or "") if isinstance(text, ua.LocalizedText) else str(text) for text in texts]


def time_in(data: ua.DataValue) -> datetime | None:
    time = held(data)
    return credible_time(time) if isinstance(time, datetime) else None


async def declared_type(session: Session, declared: ua.DataValue) -> ua.VariantType | None:
    """The built-in type behind a DataType attribute: a type of the standard, or the one that it derives from.

    Raises Refused, Garbled, DeviceError.
    """
    type = held(declared)
    for _ in range(_DEEPEST_TYPE):
        if not isinstance(type, ua.NodeId):
            return None
        if type.NamespaceIndex == 0 and isinstance(type.Identifier, int):
            built_in = built_in_type(type.Identifier)
            if built_in is not None:
                return built_in
        (parents,) = await session.browse(
            ua.BrowseParameters(NodesToBrowse=[browsing(type, HAS_SUBTYPE, inverse=True)])
        )
        type = next((parent.NodeId for parent in parents.References or ()), None)
    return None


async def read_each(session: Session, asked: Sequence[ua.ReadValueId], most: int) -> list[ua.DataValue]:
    """Every answer, in requests of at most `most`; what cannot be had is an answer with a bad status.

    Raises DeviceError where the link is lost.
    """
    answers: list[ua.DataValue] = []
    for start in range(0, len(asked), most):
        answers += await _read_together(session, asked[start : start + most])
    return answers


async def _read_together(session: Session, asked: Sequence[ua.ReadValueId]) -> Sequence[ua.DataValue]:
    """One request, in halves where the server refuses it or its answer cannot be read."""
    try:
        return await session.read(asked)
    except (Refused, Garbled):
        if len(asked) == 1:
            decoding_failed: Any = "BadDecodingError"
            return [ua.DataValue(StatusCode=ua.StatusCode(decoding_failed))]
    middle = len(asked) // 2
    return [*await _read_together(session, asked[:middle]), *await _read_together(session, asked[middle:])]
