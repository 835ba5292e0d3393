"""Heavy work keeps to one core: the other ones belong to the daemon and its neighbours."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_core() -> AbstractContextManager[Any]:
    return _controller().limit(limits=1)


@cache
def _controller() -> Any:
    """Looking for the libraries takes longer than a forecast; it finds those that are loaded."""
    importlib.import_module("sklearn.ensemble")
    return ThreadpoolController()
