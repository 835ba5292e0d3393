"""The two ways in which commands print: for people and for scripts."""

from __future__ import annotations

import json
import sys
from typing import Any


def say(line: str = "", *, flush: bool = False) -> None:
    sys.stdout.write(line + "\n")
    if flush:
        sys.stdout.flush()


def complain(line: str) -> None:
    sys.stderr.write(line + "\n")


def print_json(value: Any) -> None:
    say(json.dumps(value, ensure_ascii=False, indent=2))
