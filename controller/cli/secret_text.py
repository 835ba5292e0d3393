"""A secret that a command takes by reference, because the command line is for everybody to see."""

from __future__ import annotations

import os
from pathlib import Path

from controller.core.errors import EnvironmentProblem

SECRET_HELP = "env:NAME or file:PATH, where it is read from"
_LARGEST = 64_000


def secret_text(reference: str) -> str:
    """What the reference leads to. Raises EnvironmentProblem."""
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        if not (value := os.environ.get(name, "")):
            raise EnvironmentProblem(f"the environment variable {name} is not set")
        return value
    if kind == "file" and name:
        try:
            path = Path(name)
            if path.stat().st_size > _LARGEST:
                raise EnvironmentProblem(f"{name} is too long for a secret")
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentProblem(f"{name} cannot be read ({type(error).__name__})") from None
    raise EnvironmentProblem("a secret is given as env:NAME or file:PATH, never by itself")
