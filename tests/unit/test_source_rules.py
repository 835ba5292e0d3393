"""Rules on the source that ruff and import-linter cannot state. Each rule is shown to bite."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("controller", "drivers", "strategies", "simulator")

Finding: TypeAlias = tuple[int, str]
Check: TypeAlias = Callable[[ast.Module], Iterator[Finding]]


@lru_cache(maxsize=1)
def nodes(tree: ast.Module) -> Sequence[ast.AST]:
    """The tree is walked once for all rules."""
    return tuple(ast.walk(tree))


def last_name(node: ast.expr) -> str:
    """The identifier that an expression ends in: `self._driver` -> _driver, `drivers[link]` -> drivers."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Call(func=inner) | ast.Await(value=inner):
            return last_name(inner)
        case _:
            return ""


def imported(tree: ast.Module) -> Iterator[Finding]:
    """Every module named by an import; `from a import b` names both `a` and `a.b`."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


# --- the rules --------------------------------------------------------------------------------------------------------


def only_cleans_up(handler: ast.ExceptHandler) -> bool:
    """The handler ends in a bare `raise` and has no other way out: it swallows nothing."""
    last = handler.body[-1]
    leaves = (ast.Return, ast.Break, ast.Continue)
    return (
        isinstance(last, ast.Raise)
        and last.exc is None
        and not any(isinstance(node, leaves) for statement in handler.body for node in ast.walk(statement))
    )


def broad_catches(tree: ast.Module) -> Iterator[Finding]:
    """`except:`, `except Exception`, `except BaseException` that do not pass everything on, and suppressing them."""
    for node in nodes(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = list(ast.walk(node.type)) if node.type else []
            names = {last_name(part) for part in caught if isinstance(part, ast.Name | ast.Attribute)}
            if (node.type is None or names & {"Exception", "BaseException"}) and not only_cleans_up(node):
                yield node.lineno, "broad except"
        elif isinstance(node, ast.Call) and last_name(node.func) == "suppress":
            broad = [argument for argument in node.args if last_name(argument) in {"Exception", "BaseException"}]
            yield from ((argument.lineno, "broad suppress") for argument in broad)


def driver_writes(tree: ast.Module) -> Iterator[Finding]:
    """A use of `.write` that can be a driver's.

    `Driver.write` is a coroutine and no other `write` in use here is, so an awaited call is one. A method that is
    passed on, or called and awaited elsewhere, is known by the name of what it belongs to.
    """
    for node in nodes(tree):
        match node:
            case ast.Await(value=ast.Call(func=ast.Attribute(attr="write"))):
                yield node.lineno, "awaits .write()"
            case ast.Attribute(attr="write", value=owner) if "driver" in last_name(owner).lower():
                yield node.lineno, f"{last_name(owner)}.write"
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value="write"), *_]):
                yield node.lineno, 'getattr(..., "write")'
            case _:
                pass


def tasks_of_its_own(tree: ast.Module) -> Iterator[Finding]:
    """Anything that starts a task, a group of tasks or a callback from another thread."""
    for node in nodes(tree):
        name = last_name(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        if name in {"create_task", "ensure_future", "run_coroutine_threadsafe", "TaskGroup"}:
            yield getattr(node, "lineno", 0), name


def orphan_tasks(tree: ast.Module) -> Iterator[Finding]:
    """A task that no TaskGroup holds, wherever it is."""
    for node in nodes(tree):
        match node:
            case ast.Attribute(attr="ensure_future") | ast.Name(id="ensure_future"):
                yield node.lineno, "ensure_future"
            case ast.Attribute(attr="create_task", value=owner) if last_name(owner).endswith(("loop", "asyncio")):
                yield node.lineno, f"{last_name(owner)}.create_task"
            case ast.Name(id="create_task"):
                yield node.lineno, "create_task"
            case _:
                pass


def sleeps(tree: ast.Module) -> Iterator[Finding]:
    yield from ((line, module) for line, module in imported(tree) if module == "time.sleep")
    for node in nodes(tree):
        if isinstance(node, ast.Attribute) and node.attr == "sleep" and last_name(node.value) == "time":
            yield node.lineno, "time.sleep"


def mocks(tree: ast.Module) -> Iterator[Finding]:
    for line, module in imported(tree):
        if module.split(".")[0] in {"mock", "pytest_mock"} or module.startswith("unittest.mock"):
            yield line, module
    for node in nodes(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"setattr", "delattr"}:
            yield node.lineno, f"{last_name(node.value)}.{node.attr}"
        elif isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "mocker"


FACTS_OF_NATURE = {"controller", "controller.core", "controller.core.physics", "controller.core.units"}


def knowledge_of_the_controller(tree: ast.Module) -> Iterator[Finding]:
    """Whatever the plant's physics takes from the controller beyond the facts of nature."""
    for line, module in imported(tree):
        parts = module.split(".")
        if parts[0] == "controller" and ".".join(parts[:3]) not in FACTS_OF_NATURE:
            yield line, module


class Rule(NamedTuple):
    name: str
    check: Check
    where: tuple[str, ...]
    except_in: tuple[str, ...]
    caught: tuple[str, ...]
    passed: tuple[str, ...]


RULES = [
    Rule(
        name="only the supervisor catches everything",
        check=broad_catches,
        where=(*PACKAGES, "tests"),
        except_in=("controller/runtime/supervisor.py",),
        caught=(
            "try: f()\nexcept Exception: pass",
            "try: f()\nexcept (OSError, BaseException) as error: g(error)",
            "try: f()\nexcept: pass",
            "try: f()\nexcept BaseException as error: raise Other from error",
            "for x in y:\n try: f()\n except BaseException:\n  if x: continue\n  raise",
            "try: f()\nexcept* Exception: pass",
            "with contextlib.suppress(Exception): f()",
        ),
        passed=(
            "try: f()\nexcept (OSError, bus.LinkException): pass",
            "with suppress(KeyError): f()",
            "try: f()\nexcept BaseException:\n  close()\n  raise",
        ),
    ),
    Rule(
        name="only the writer writes to a driver",
        check=driver_writes,
        where=PACKAGES,
        except_in=("controller/runtime/writer.py",),
        caught=(
            "async def f(): await driver.write({})",
            "async def f(): await self.anything[link].write({})",
            "async def f(): await asyncio.wait_for(self._driver.write({}), 1)",
            "write = drivers[link].write",
            "getattr(link, 'write')({})",
        ),
        passed=("file.write('x')", "stream.write(b'x')", "async def f(): await driver.read(points)"),
    ),
    Rule(
        name="tasks belong to the composition root and the runtime",
        check=tasks_of_its_own,
        where=PACKAGES,
        # The BACnet driver asks the devices of its link side by side, within one read.
        except_in=("controller/app.py", "controller/runtime/", "simulator/servers/", "drivers/bacnet/"),
        caught=(
            "async def f():\n async with asyncio.TaskGroup() as group: pass",
            "from asyncio import TaskGroup\ngroup = TaskGroup()",
            "def f(group): group.create_task(g())",
            "asyncio.run_coroutine_threadsafe(g(), loop)",
        ),
        passed=("async def f():\n async with asyncio.timeout(1): await g()",),
    ),
    Rule(
        name="no task without a group",
        check=orphan_tasks,
        where=PACKAGES,
        except_in=(),
        caught=(
            "asyncio.create_task(g())",
            "asyncio.get_running_loop().create_task(g())",
            "self._loop.create_task(g())",
            "from asyncio import create_task\ncreate_task(g())",
            "asyncio.ensure_future(g())",
        ),
        passed=("def f(group): group.create_task(g())",),
    ),
    Rule(
        name="no test sleeps",
        check=sleeps,
        where=("tests",),
        except_in=(),
        caught=("import time\ntime.sleep(1)", "from time import sleep"),
        passed=("import time\ntime.monotonic()",),
    ),
    Rule(
        name="no test patches or mocks",
        check=mocks,
        where=("tests",),
        except_in=(),
        caught=(
            "from unittest.mock import Mock",
            "from unittest import mock",
            "import unittest.mock",
            "def test_x(monkeypatch): monkeypatch.setattr('a.b', 1)",
            "def test_x(mocker): pass",
        ),
        passed=("def test_x(monkeypatch): monkeypatch.setenv('A', '1')", "import unittest"),
    ),
    Rule(
        name="the plant shares only facts of nature with the controller",
        check=knowledge_of_the_controller,
        where=("simulator/plant",),
        except_in=(),
        caught=("from controller.core.equipment import CLASSES", "from controller.core import strategy"),
        passed=("from controller.core import physics", "from controller.core.physics import WATER_SPECIFIC_HEAT"),
    ),
]


def applies(rule: Rule, name: str) -> bool:
    return name.startswith(tuple(f"{folder}/" for folder in rule.where)) and not name.startswith(
        rule.except_in or ("\0",)
    )


@cache
def findings() -> Mapping[str, Sequence[str]]:
    """By the rule's name; each file is parsed once."""
    found: dict[str, list[str]] = {rule.name: [] for rule in RULES}
    folders = {ROOT / folder for rule in RULES for folder in rule.where}
    for path in sorted({path for folder in folders for path in folder.rglob("*.py")}):
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"), name)
        for rule in RULES:
            if applies(rule, name):
                found[rule.name] += [f"{name}:{line}: {what}" for line, what in rule.check(tree)]
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_holds(rule: Rule) -> None:
    assert findings()[rule.name] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_bites(rule: Rule) -> None:
    missed = [text for text in rule.caught if not list(rule.check(ast.parse(text)))]
    mistaken = [text for text in rule.passed if list(rule.check(ast.parse(text)))]
    assert (missed, mistaken) == ([], [])
