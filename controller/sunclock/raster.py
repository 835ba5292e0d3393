"""A picture as PNG, for what shows no SVG: by librsvg's command, with the fonts of the machine."""

from __future__ import annotations

import subprocess

from controller.core.errors import EnvironmentProblem

PROGRAM = "rsvg-convert"
_INSTALL = "on Debian: apt-get install librsvg2-bin fonts-noto-cjk"
_LONGEST_S = 60.0


def as_png(svg: str) -> bytes:
    """Raises EnvironmentProblem where the program is missing or fails."""
    command = [PROGRAM, "--format=png", "--zoom=1.25"]
    try:
        done = subprocess.run(command, input=svg.encode(), capture_output=True, timeout=_LONGEST_S, check=True)
    except FileNotFoundError:
        raise EnvironmentProblem(f"no picture: {PROGRAM} is not installed; {_INSTALL}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentProblem(f"no picture: {PROGRAM} failed ({type(error).__name__})") from None
    return done.stdout
