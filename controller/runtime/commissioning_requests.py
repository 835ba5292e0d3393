"""What people ask while a system is commissioned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.core.commissioning import AmbiguousItem, Result, item_called
from controller.core.errors import ConfigError
from controller.core.event import JsonValue
from controller.runtime.commissioning import body_of
from controller.runtime.daemon import Daemon
from controller.runtime.request_fields import LONGEST_WORDS, RequestRefused, who_of
from controller.runtime.silence_measurement import shown_measurement


async def record(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    result = str(request.get("result"))
    if result not in set(Result):
        raise RequestRefused(f"a test has {' or '.join(Result)}, not {result!r}")
    try:
        item = item_called(str(request.get("item")), daemon.commissioning.standings())
    except (AmbiguousItem, ConfigError) as error:
        raise RequestRefused(str(error)) from error
    words = (str(request.get(name, ""))[:LONGEST_WORDS] for name in ("measured", "note"))
    return body_of(await daemon.record_test(item, Result(result), who_of(request), *words))


async def silence(daemon: Daemon, request: Mapping[str, Any]) -> JsonValue:
    item, value = daemon.commissioning.items.get(str(request.get("item"))), request.get("value")
    if item is None:
        raise RequestRefused(f"there is no test {request.get('item')!r} in this site")
    if value is not None and not isinstance(value, (bool, int, float, str)):
        raise RequestRefused("a value is a number, a text, true or false")
    return shown_measurement(daemon.silence.begin(item, who_of(request), value))


async def silence_progress(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    return shown_measurement(daemon.silence.measurement)


async def silence_stop(daemon: Daemon, _: Mapping[str, Any]) -> JsonValue:
    daemon.silence.stop()
    return shown_measurement(daemon.silence.measurement)
