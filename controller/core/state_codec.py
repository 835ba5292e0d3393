"""Strategy states and plans as versioned JSON: frozen dataclasses of plain fields, there and back."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import date, datetime
from typing import Any

from controller.core.event import JsonValue


def encode(value: Any) -> JsonValue:
    """A dataclass of numbers, strings, booleans, None, dates, tuples, mappings and such dataclasses, as JSON."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value  # first: most of what is stored
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in typing.cast("tuple[Any, ...]", value)]
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in typing.cast("dict[Any, Any]", value).items()}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def decode(kind: Any, data: Any) -> Any:
    """The inverse of encode. Raises ValueError where the data do not fit the type."""
    try:
        return _decode(kind, data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"stored data do not fit {getattr(kind, '__name__', kind)}: {error!r}") from error


def _decode(kind: Any, data: Any) -> Any:
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(typing.cast("type[Any]", kind), data)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in arguments if option is not type(None)]
        return None if data is None else _decode(options[0], data)
    if origin is tuple:
        kinds = [arguments[0]] * len(data) if arguments[-1] is Ellipsis else arguments
        return tuple(_decode(item, value) for item, value in zip(kinds, data, strict=True))
    if origin is dict:
        return {_decode(arguments[0], key): _decode(arguments[1], value) for key, value in data.items()}
    if kind in (datetime, date):
        return kind.fromisoformat(data)
    if kind is float:
        return float(data)
    if not isinstance(data, kind):
        raise TypeError(f"expected {kind.__name__}, found {data!r}")
    return data


def _decode_dataclass(kind: type[Any], data: dict[str, Any]) -> Any:
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    if set(names) != set(data):
        raise ValueError(f"fields {sorted(data)} where {kind.__name__} has {sorted(names)}")
    return kind(**{name: _decode(hints[name], data[name]) for name in names})
