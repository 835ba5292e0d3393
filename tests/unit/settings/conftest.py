"""A small site that compiles, in a folder of its own that a test may spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from controller.core.errors import ConfigError
from controller.core.site import Site
from controller.settings.compile import compile_site
from drivers import driver_kind
from strategies import strategy_kind

SMALL_SITE = Path(__file__).parent / "site"

Told: TypeAlias = Callable[[], list[str]]
Edit: TypeAlias = Callable[[str, str, str], None]


def compiled(folder: Path) -> Site:
    return compile_site(folder, folder / "templates", driver_kind, strategy_kind, environment={"SECRET": "hunter2"})


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    shutil.copytree(SMALL_SITE, folder)
    return folder


@pytest.fixture
def edit(site: Path) -> Edit:
    """edit(file, old, new): the first `old` in the file becomes `new`."""

    def edited(file: str, old: str, new: str) -> None:
        path = site / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return edited


@pytest.fixture
def told(site: Path) -> Told:
    """told(): everything that is told about the site, with paths that begin at its folder."""

    def problems() -> list[str]:
        try:
            compiled(site)
        except ConfigError as error:
            return [str(problem).replace(f"{site}/", "") for problem in error.problems]
        return []

    return problems
