"""tidewatt scan PROTOCOL TARGET: what is out there, told as it is found, and a site to start from."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_for, add_json, language
from controller.cli.ede import EdeFiles, ede_findings
from controller.cli.found_site import (
    flow,
    printed,
    refuse_to_overwrite,
    site_files,
    told_in_json,
    write_files,
)
from controller.cli.output import complain, say
from controller.cli.words import counted, program
from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer, Scan
from controller.core.errors import DeviceError, EnvironmentProblem
from controller.core.event import JsonValue
from controller.core.ports import DriverKind
from controller.core.text import Text
from controller.runtime.clock import RealClock
from drivers import DRIVERS, driver_kind, driver_names

Read = Callable[[], AsyncGenerator[Found]]

_LISTED_LEFT_OUT = 10
_ENCODINGS = {"utf-8": "utf-8-sig", "gbk": "gb18030", "windows-1252": "cp1252"}


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "scan",
        "find devices and points, and write a devices.yaml and points.csv to start from",
        "tidewatt scan modbus 127.0.0.1:5020 --output my-site",
    )
    protocols = parser.add_subparsers(dest="protocol", required=True, metavar="PROTOCOL")
    for name in _names():
        register_protocol(protocols, name)
    _register_ede(protocols)


def _names() -> list[str]:
    """The protocols; those of this distribution where others clash, which whoever opens a site is told."""
    try:
        return driver_names()
    except EnvironmentProblem:
        return sorted(DRIVERS)


def register_protocol(protocols: Any, name: str) -> None:
    """A protocol, if it is scanned; one that cannot be loaded says so when it is asked for and hurts nobody else."""
    try:
        kind = driver_kind(name)
    except EnvironmentProblem as error:
        _register_broken(protocols, name, error)
        return
    if kind.scan is not None:
        register_scan(protocols, kind, kind.scan)


def register_scan(protocols: Any, kind: DriverKind, scan: Scan) -> None:
    summary = f"find what can be reached over {kind.name}"
    parser = add_command(protocols, kind.name, summary, f"tidewatt scan {kind.name} {scan.example}")
    parser.add_argument("target", metavar="TARGET", help=_help(scan.target))
    for option in scan.options:
        default = f" ({option.default})" if option.default else ""
        parser.add_argument(
            f"--{option.name}",
            dest=f"option_{option.name}",
            default=option.default,
            metavar=option.metavar,
            help=_help(option.summary) + default.replace("%", "%%"),
        )
    _add_ends(parser, has_end_of_its_own=any(option.name == "for" for option in scan.options))

    def execute(arguments: argparse.Namespace) -> int:
        given = {option.name: getattr(arguments, f"option_{option.name}") for option in scan.options}
        return scanned(kind.name, lambda: scan.discover(arguments.target, given), arguments)

    parser.set_defaults(execute=execute)


def _register_broken(protocols: Any, name: str, error: EnvironmentProblem) -> None:
    parser = add_command(protocols, name, "cannot be loaded", f"tidewatt scan {name} TARGET")
    parser.add_argument("rest", nargs="*")

    def execute(_arguments: argparse.Namespace) -> int:
        raise error

    parser.set_defaults(execute=execute)


def _register_ede(protocols: Any) -> None:
    parser = add_command(
        protocols,
        "ede",
        "take BACnet objects from an EDE file instead of a network",
        "tidewatt scan ede Tower_EDE.csv --state-texts Tower_StateTexts.csv --interface 10.0.0.4/24 --output my-site",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the file whose name commonly ends in _EDE.csv")
    parser.add_argument("--state-texts", type=Path, metavar="FILE", help="the one that ends in _StateTexts.csv")
    parser.add_argument(
        "--interface", required=True, metavar="ADDRESS", help="our own address on that network, like 10.0.0.4/24"
    )
    parser.add_argument("--encoding", choices=sorted(_ENCODINGS), help="of the files, where it is not found out")
    _add_ends(parser, has_end_of_its_own=True)
    parser.set_defaults(execute=_ede)


def _ede(arguments: argparse.Namespace) -> int:
    encoding = None if arguments.encoding is None else _ENCODINGS[arguments.encoding]
    files = EdeFiles(arguments.file, arguments.state_texts, arguments.interface, encoding)
    return scanned("bacnet", lambda: ede_findings(files), arguments)


def _add_ends(parser: argparse.ArgumentParser, *, has_end_of_its_own: bool) -> None:
    """How a scan ends and where its findings go. A protocol that listens may say itself for how long."""
    parser.set_defaults(lasting=None)
    if not has_end_of_its_own:
        add_for(parser, "stop after this long, with what was found so far")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="write devices.yaml, points.csv and, if there is none, site.yaml"
    )
    add_json(parser)


def _help(text: Text) -> str:
    return text.in_language(language()).replace("%", "%%")


# --- scanning ---------------------------------------------------------------------------------------------------------


@dataclass
class _Findings:
    """told: shows one finding."""

    told: Callable[[Found], None]
    found: list[Found] = field(default_factory=list[Found])
    is_cut_short: bool = False

    async def gather(self, read: Read, lasting_s: float | None) -> None:
        limit = asyncio.timeout(lasting_s)
        try:
            async with limit, aclosing(read()) as findings:
                async for each in findings:
                    self.found.append(each)
                    self.told(each)
        except TimeoutError:
            if not limit.expired():
                raise
            self.is_cut_short = True

    def count(self, kind: type[Found]) -> int:
        return sum(isinstance(each, kind) for each in self.found)


def scanned(driver: str, read: Read, arguments: argparse.Namespace) -> int:
    """Tell what `read` finds, and write it where that is asked for. Raises DeviceError, EnvironmentProblem."""
    if arguments.output is not None:
        refuse_to_overwrite(arguments.output)
    findings = _Findings(_tell_json if arguments.json else _tell)
    clock = RealClock()
    began = clock.monotonic()
    lasting = None if arguments.lasting is None else arguments.lasting.total_seconds()
    failure: DeviceError | None = None
    try:
        asyncio.run(findings.gather(read, lasting))
    except ValueError as error:
        complain(f"tidewatt: {error}")
        return Exit.CONFIGURATION
    except DeviceError as error:
        failure = error
    except KeyboardInterrupt:
        findings.is_cut_short = True
    if not arguments.json:
        say(_summary(findings, clock.monotonic() - began).in_language(language()))
    if arguments.output is not None:
        _write(driver, findings.found, arguments.output, complain if arguments.json else say)
    if failure is not None:
        raise failure
    return Exit.OK if findings.count(FoundDevice) else Exit.ENVIRONMENT


def _write(driver: str, found: list[Found], folder: Path, tell: Callable[[str], None]) -> None:
    files = site_files(driver, found)
    for each in files.left_out[:_LISTED_LEFT_OUT]:
        tell(Text(f"left out: {each.en}", f"未写入: {each.zh}").in_language(language()))
    more = len(files.left_out) - _LISTED_LEFT_OUT
    if more > 0:
        tell(Text(f"left out: {more} more", f"另有 {more} 项未写入").in_language(language()))
    if not files.texts:
        tell(Text("nothing to write was found", "没有可写入的内容").in_language(language()))
        return
    names = ", ".join(str(folder / name) for name in write_files(folder, files.texts))
    told = Text(
        f"wrote {names}: {_counted(files.devices, files.points)}, all of them only read",
        f"已写入 {names}: {files.devices} 个设备, {files.points} 个点, 均为只读",
    )
    tell(told.in_language(language()))
    tell(f"{Text('next', '下一步').in_language(language())}: {program()} check {folder}")


# --- telling ----------------------------------------------------------------------------------------------------------


def _tell(found: Found) -> None:
    say(_line(found).in_language(language()), flush=True)


def _tell_json(found: Found) -> None:
    say(json.dumps(told_in_json(found), ensure_ascii=False), flush=True)


def _line(found: Found) -> Text:
    if isinstance(found, FoundDevice):
        line = f"{found.id}  {printed(found.title)}  {_place({**found.connection, **found.address})}".rstrip()
        return Text(line, line)
    if isinstance(found, NoAnswer):
        what, cause = printed(found.what), printed(found.cause)
        return Text(f"  no answer: {what}: {cause}", f"  无应答: {what}: {cause}")
    unit = "" if found.unit == "none" else f" {found.unit}"
    line = f"  {found.name:<40} {printed(found.value) + unit:>16}  {found.kind.value:<8}  {printed(found.title)}"
    line = f"{line}  ({_place(found.address)})"
    return Text(line, line)


def _place(address: Mapping[str, JsonValue]) -> str:
    values = {name: value if isinstance(value, str) else flow(value) for name, value in address.items()}
    return ", ".join(f"{name} {printed(value)}" for name, value in values.items())


def _summary(findings: _Findings, seconds: float) -> Text:
    devices, points, silent = (findings.count(kind) for kind in (FoundDevice, FoundPoint, NoAnswer))
    english = f"{_counted(devices, points)}, {silent} without an answer, after {seconds:.0f} s"
    chinese = f"{devices} 个设备, {points} 个点, {silent} 项无应答, 用时 {seconds:.0f} 秒"
    if findings.is_cut_short:
        return Text(f"{english}; ended before it was through", f"{chinese}; 扫描未完成即结束")
    return Text(english, chinese)


def _counted(devices: int, points: int) -> str:
    return f"{counted(devices, 'device')}, {counted(points, 'point')}"
