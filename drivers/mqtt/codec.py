"""Messages to values and back. Pure. Whatever stands in a message, reading it ends in a value or in a few words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from controller.core.event import JsonValue
from controller.core.point import Binding, ValueType
from controller.core.sample import Scalar, as_number
from drivers.mqtt.address import PLACEHOLDER, MqttAddress, holds_text, is_json
from drivers.mqtt.path import MISSING, JsonPath, Missing, found, spelt
from drivers.scaling import scaling_of

# No device tells its state in more; what is longer is not even parsed.
LONGEST_PAYLOAD: Final = 256 * 1024
# Bounds what a message may write into our samples and texts.
LONGEST_TEXT: Final = 255
_LONGEST_QUOTE: Final = 40
# Whole numbers beyond do not fit the history.
_LARGEST_INTEGER: Final = 2**63 - 1
# Milliseconds since 1970 are larger than this, seconds are smaller until the year 5138.
_FIRST_MILLISECONDS: Final = 1e11

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# How switches are spelt where nobody says otherwise.
_STATES: Final[Mapping[str, bool]] = {
    "on": True,
    "true": True,
    "1": True,
    "off": False,
    "false": False,
    "0": False,
}


class CannotDecode(ValueError):
    """The message holds no value at this place; the text says why, in few words."""


class CannotEncode(ValueError):
    """The wished value cannot be spelt in a command; the text says why."""


# --- reading ----------------------------------------------------------------------------------------------------------


class Payload:
    """One message. It is read as text or JSON at most once, however many values it carries."""

    def __init__(self, data: bytes, longest: int = LONGEST_PAYLOAD) -> None:
        self.data = data
        self._longest = longest
        self._read: str | None = None
        self._tree: JsonValue | Missing = MISSING
        self._trouble = ""

    def raw(self, path: JsonPath) -> JsonValue | Missing:
        """What stands at the path; the whole text where the path is empty. Raises CannotDecode."""
        return found(self.tree(), path) if path else self._text()

    def tree(self) -> JsonValue:
        """The whole message as JSON. Raises CannotDecode."""
        if isinstance(self._tree, Missing):
            text = self._text()
            if self._trouble:
                raise CannotDecode(self._trouble)
            self._tree = self._parsed(text)
        return self._tree

    def spelling(self, path: JsonPath) -> str:
        """The same as the wire has it, bounded, for people."""
        try:
            raw = self.raw(path)
        except CannotDecode:
            return ascii(self.data[:LONGEST_TEXT])[2:-1]
        if raw is MISSING:
            return f"no {spelt(path)}"
        return (json.dumps(raw, ensure_ascii=False) if path else str(raw))[:LONGEST_TEXT]

    def _text(self) -> str:
        if self._read is None:
            if len(self.data) > self._longest:
                raise CannotDecode(f"message of {len(self.data)} bytes is too long")
            try:
                self._read = self.data.decode()
            except UnicodeDecodeError:
                raise CannotDecode("message is not UTF-8") from None
        return self._read

    def _parsed(self, text: str) -> JsonValue:
        try:
            return json.loads(text)
        except RecursionError:
            self._trouble = "message is nested too deeply"
        except ValueError:
            self._trouble = "message is not JSON" if text else "empty message"
        raise CannotDecode(self._trouble)


def value_of(raw: JsonValue, binding: Binding[MqttAddress]) -> Scalar:
    """The value that a place in a message stands for, in the point's type. Raises CannotDecode."""
    address, point = binding.address, binding.point
    if raw is None:
        raise CannotDecode("no value (null)")
    if isinstance(raw, list | dict):
        raise CannotDecode(f"{'a list' if isinstance(raw, list) else 'an object'} is no value")
    if address.values:
        raw = _mapped(raw, address.values)
    match point.type:
        case ValueType.BOOLEAN:
            return _switch(raw)
        case ValueType.TEXT:
            return _printable(raw, point.states)
        case ValueType.NUMBER:
            return _scaled(_number(raw), address)
        case ValueType.INTEGER:
            return _whole(_scaled(_number(raw), address))


def _mapped(raw: Scalar, values: Mapping[str, Scalar]) -> Scalar:
    text = _spelling(raw)
    if text not in values:
        raise CannotDecode(f"{quoted(text)} is none of {', '.join(values)}"[:LONGEST_TEXT])
    return values[text]


def _spelling(raw: Scalar) -> str:
    if isinstance(raw, str):
        return raw.strip()
    return json.dumps(raw)


def _switch(raw: Scalar) -> bool:
    if isinstance(raw, float) and raw in (0.0, 1.0):
        return raw == 1.0
    state = _STATES.get(_spelling(raw).casefold())
    if state is None:
        raise CannotDecode(f"{quoted(_spelling(raw))} is neither on nor off")
    return state


def _printable(raw: Scalar, states: tuple[str, ...]) -> str:
    text = _spelling(raw)
    if len(text) > LONGEST_TEXT:
        raise CannotDecode(f"text of {len(text)} characters is too long")
    if not text.isprintable():
        raise CannotDecode("text with unprintable characters")
    if states and text not in states:
        raise CannotDecode(f"{quoted(text)} is none of {', '.join(states)}"[:LONGEST_TEXT])
    return text


def _number(raw: Scalar) -> float:
    if isinstance(raw, bool):
        raise CannotDecode(f"{json.dumps(raw)} is not a number")
    if isinstance(raw, str):
        text = raw.strip()
        if len(text) > _LONGEST_QUOTE or _NUMBER.fullmatch(text) is None:
            raise CannotDecode(f"{quoted(text)} is not a number")
        raw = int(text) if text.isdigit() else float(text)
    try:
        float(raw)
    except OverflowError:
        raise CannotDecode("number is too large") from None
    return raw


def _scaled(raw: float, address: MqttAddress) -> float:
    scaling = scaling_of(address.scale, address.offset)
    return raw if scaling.is_identity else scaling.applied(raw)


def _whole(number: float) -> float:
    """NaN and infinities stay what they are: they are doubted by everybody's last fence."""
    if not math.isfinite(number):
        return number
    if abs(number) > _LARGEST_INTEGER:
        raise CannotDecode("number is too large")
    return round(number)


def moment_of(raw: JsonValue | Missing) -> datetime:
    """A message's own time, aware UTC: seconds or milliseconds since 1970, or ISO 8601 with its offset.

    Raises CannotDecode: a time without an offset may be any zone's.
    """
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        raise CannotDecode("no timestamp")
    try:
        moment = _moment(raw)
        whole = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise CannotDecode("timestamp cannot be read") from None
    if moment.utcoffset() is None:
        raise CannotDecode("timestamp without a time zone")
    return whole


def _moment(raw: str | float) -> datetime:
    if isinstance(raw, str) and _NUMBER.fullmatch(raw) is None:
        return datetime.fromisoformat(raw[:LONGEST_TEXT])
    seconds = float(raw)
    return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > _FIRST_MILLISECONDS else seconds, UTC)


def quoted(text: str) -> str:
    """A text of the wire inside a sentence of ours: bounded, and without characters that terminals obey."""
    return repr(text) if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]!r}..."


# --- writing ----------------------------------------------------------------------------------------------------------


def encode(value: Scalar, binding: Binding[MqttAddress]) -> bytes:
    """The payload of a command. Raises CannotEncode."""
    address = binding.address
    word, is_text = _word(value, address)
    payload = address.command_payload
    if is_json(payload):
        if holds_text(payload):
            word = json.dumps(word, ensure_ascii=False)[1:-1]
        elif is_text:
            word = json.dumps(word, ensure_ascii=False)
    try:
        return payload.replace(PLACEHOLDER, word).encode()
    except UnicodeEncodeError:
        raise CannotEncode(f"{quoted(word)} is no text that can be sent") from None


def _word(value: Scalar, address: MqttAddress) -> tuple[str, bool]:
    """How the wire spells a value, and whether that is a text."""
    values = address.command_values or address.values
    if values:
        for text, meaning in values.items():
            if _means(meaning, value):
                return text, not _is_json_word(text)
        raise CannotEncode(f"{value!r} is none of {', '.join(map(str, values.values()))}")
    if isinstance(value, str):
        return value, True
    if isinstance(value, bool):
        return json.dumps(value), False
    return _number_word(value, address), False


def _means(meaning: Scalar, value: Scalar) -> bool:
    """A switch is often wished as 1 or 0."""
    one, other = as_number(meaning), as_number(value)
    return meaning == value if one is None or other is None else one == other


def _is_json_word(text: str) -> bool:
    return text in ("true", "false", "null") or _NUMBER.fullmatch(text) is not None


def _number_word(value: float, address: MqttAddress) -> str:
    scaling = scaling_of(address.scale, address.offset)
    raw = value if scaling.is_identity else scaling.undone(value)
    if not math.isfinite(raw):
        raise CannotEncode(f"{value!r} is {raw!r} in the device, which is not a number")
    if address.decimals is not None:
        raw = round(raw, address.decimals)
    if isinstance(raw, int) or (raw.is_integer() and abs(raw) < 1e15):
        return str(int(raw))
    return f"{raw:.12g}"
