"""What a broker has to tell: listen for a while, and turn what is said into devices and points."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from controller.core.discovery import Found, NoAnswer, Scan, ScanOption
from controller.core.errors import DeviceRefused
from controller.core.event import JsonValue
from controller.core.text import Text
from drivers.mqtt.address import MqttConnection, Tls
from drivers.mqtt.finder import Finder

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

# What is retained comes first, descriptions and states in any order: nothing is told before that has settled.
_SETTLE: Final = 2.0
_LOOK_EVERY: Final = 0.5
_LONGEST: Final = timedelta(hours=1)
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|h)")
_SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the command line asks for. said: the link as devices.yaml would say it."""

    connection: MqttConnection
    said: Mapping[str, JsonValue]
    listen: float
    topics: str


async def discover(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    """Raises ValueError for a target or option that cannot be, DeviceError where the broker cannot be reached."""
    wish = await asyncio.to_thread(_wish, target, options)
    try:
        async with aclosing(_listened(wish)) as heard:
            async for found in heard:
                yield found
    except DeviceRefused as error:
        if "protocol version" not in error.cause:
            raise
        old = replace(wish.connection, protocol="3.1.1")
        wish = replace(wish, connection=old, said={**wish.said, "protocol": "3.1.1"})
        async with aclosing(_listened(wish)) as heard:
            async for found in heard:
                yield found


async def _listened(wish: _Wish) -> AsyncGenerator[Found]:
    from drivers.mqtt.client import Client  # aiomqtt: only who scans pays

    finder = Finder(wish.said)
    lost = asyncio.Event()

    def hear(message: MQTTMessage) -> None:
        try:
            finder.hear(message.topic, bytes(message.payload))
        except UnicodeDecodeError:
            return

    client = Client("scan", wish.connection, None, hear, lost.set)
    await client.open()
    try:
        refused = await client.listen({wish.topics: 0})
        for topic, reason in refused.items():
            yield NoAnswer(topic, reason)
        async with aclosing(_as_it_comes(finder, wish.listen, lost)) as coming:
            async for found in coming:
                yield found
        if client.lost is not None:
            yield NoAnswer("broker", client.lost.cause)
    finally:
        await client.close()


async def _as_it_comes(finder: Finder, seconds: float, lost: asyncio.Event) -> AsyncGenerator[Found]:
    loop = asyncio.get_running_loop()
    start = loop.time()
    end = start + seconds
    while loop.time() < end and not lost.is_set():
        try:
            async with asyncio.timeout(min(_LOOK_EVERY, end - loop.time())):
                await lost.wait()
        except TimeoutError:
            pass
        if loop.time() >= min(start + _SETTLE, end) or lost.is_set():
            for found in finder.found():
                yield found


# --- the command line -------------------------------------------------------------------------------------------------


def _wish(target: str, options: Mapping[str, str]) -> _Wish:
    """Reads the file of the password; blocks."""
    topics = options["topics"]
    if not topics or re.search(r"#.|[^/][#+]|\+[^/]", topics):
        raise ValueError(f"{topics!r} is no topic filter; give one such as # or plant/+/state")
    connection = _connection(target, options)
    host, port = connection.address
    said: dict[str, JsonValue] = {"host": host, "port": port}
    if connection.tls is not None:
        said["tls"] = {"ca_file": connection.tls.ca_file} if connection.tls.ca_file else {}
    if connection.user:
        said["user"] = connection.user
    if connection.password:
        said["password"] = {"!file": str(Path(options["password-file"]).absolute())}
    return _Wish(connection, said, _duration(options["for"]), topics)


def _connection(target: str, options: Mapping[str, str]) -> MqttConnection:
    match = re.fullmatch(r"(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?", target)
    if match is None:
        raise ValueError(f"{target!r} is no broker; give HOST or HOST:PORT")
    host, port = match["host"].strip("[]"), int(match["port"]) if match["port"] else None
    ca_file = str(Path(options["ca-file"]).absolute()) if options["ca-file"] else ""
    tls = Tls(ca_file) if ca_file or port == 8883 else None
    return MqttConnection(host, port, tls, options["user"], _password(options))


def _password(options: Mapping[str, str]) -> str:
    name = options["password-file"]
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n") if name else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the password file {name!r} cannot be read ({error}); name a text file") from error


def _duration(text: str) -> float:
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0.0 < seconds <= _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is no time to listen; give 1s to 1h, such as 30s or 5min")
    return seconds


SCAN = Scan(
    target=Text(
        "the broker: HOST, or HOST:PORT (1883; 8883 is TLS)", "代理地址：HOST 或 HOST:PORT（1883；8883 为 TLS）"
    ),
    example="192.0.2.10 --for 30s --topics 'plant/#'",
    options=(
        ScanOption("for", "TIME", Text("how long to listen", "监听时长"), "10s"),
        ScanOption("topics", "FILTER", Text("topics to listen to, + and # allowed", "监听的主题，可用 + 和 #"), "#"),
        ScanOption("user", "NAME", Text("user of the broker", "代理用户名")),
        ScanOption("password-file", "FILE", Text("file with the user's password", "存放密码的文件")),
        ScanOption("ca-file", "FILE", Text("use TLS, with this authority's certificate", "使用 TLS 及此 CA 证书")),
    ),
    discover=discover,
)
