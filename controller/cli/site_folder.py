"""From a folder on the command line to a compiled site."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from controller.core.errors import EnvironmentProblem
from controller.core.site import Site
from controller.settings.compile import compile_site
from drivers import driver_kind
from strategies import strategy_kind


def config_folder() -> Path:
    """Where device templates, weather and the demo site are: the checkout's config/ wins over the installed copy."""
    candidates = [
        Path(__file__).resolve().parents[2] / "config",
        Path(sys.prefix) / "share" / "tidewatt",
    ]
    if named := os.environ.get("TIDEWATT_CONFIG"):
        candidates.insert(0, Path(named))
    for candidate in candidates:
        if (candidate / "templates").is_dir():
            return candidate
    raise EnvironmentProblem(
        f"the folder with the device templates is not there (looked at {', '.join(map(str, candidates))}); "
        "set TIDEWATT_CONFIG to it"
    )


def load_site(folder: Path, strategies: Path | None = None) -> Site:
    """The compiled site; raises ConfigError with every problem at once. strategies: a file that is read in place of the
    folder's own strategies.yaml."""
    return compile_site(folder, config_folder() / "templates", driver_kind, strategy_kind, strategies_file=strategies)
