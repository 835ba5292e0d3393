"""The terrain around the site: the file that `position` of site.yaml names."""

from __future__ import annotations

from pathlib import Path

from controller.core.terrain import Terrain, TerrainProblem, read_terrain
from controller.settings.problems import Problems
from controller.settings.reading import Reading
from controller.settings.schema.site import SiteFile
from controller.settings.text_file import raw_text

_LARGEST = 100_000  # bytes


def site_terrain(site: Reading[SiteFile], folder: Path, problems: Problems) -> Terrain | None:
    """None where the site names none, or, with the problem told, where its file cannot be used."""
    name = site.document.get(("position", "horizon"))
    if not isinstance(name, str):
        return None
    file = folder / name
    raw = raw_text(file, _LARGEST, problems)
    if raw is None:
        return None
    try:
        return read_terrain(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        problems.add(file, 1, "is no text in UTF-8", "save it as UTF-8")
    except TerrainProblem as problem:
        problems.add(file, problem.line, problem.wrong, problem.right)
    return None
