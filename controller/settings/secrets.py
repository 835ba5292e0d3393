"""References to secrets, followed where a link's connection needs them; the secret itself is never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.settings.document import Document, Secret, Tree, Where
from controller.settings.problems import Problems, shown

LARGEST_SECRET = 64_000  # bytes; a certificate chain has a tenth of it


@dataclass(frozen=True, slots=True)
class Secrets:
    """folder: where `!file` paths begin."""

    folder: Path
    environment: Mapping[str, str]
    problems: Problems

    def resolved(self, document: Document, where: Where) -> tuple[Tree, frozenset[str]] | None:
        """What stands there with its references followed, and every secret text that is now in it.

        None, with the problem noted, where a reference leads nowhere.
        """
        values: set[str | None] = set()
        tree = self._resolved(document, where, document.get(where), values)
        return None if None in values else (tree, frozenset(value for value in values if value))

    def _resolved(self, document: Document, where: Where, tree: Tree, values: set[str | None]) -> Tree:
        if isinstance(tree, dict):
            return {key: self._resolved(document, (*where, key), value, values) for key, value in tree.items()}
        if isinstance(tree, list):
            return [self._resolved(document, (*where, index), value, values) for index, value in enumerate(tree)]
        if not isinstance(tree, Secret):
            return tree
        found, wrong, right = self._environment(tree.name) if tree.kind == "env" else self._file(tree.name)
        if found is None:
            self.problems.add(document.file, document.line(where), wrong, right)
        values.add(found)
        return found

    def _environment(self, name: str) -> tuple[str | None, str, str]:
        if name in self.environment:
            return self.environment[name], "", ""
        return None, f"the environment variable '{shown(name)}' is not set", "set it where the daemon starts"

    def _file(self, name: str) -> tuple[str | None, str, str]:
        path = self.folder / name
        try:
            if not path.is_file() or path.stat().st_size > LARGEST_SECRET:
                return (
                    None,
                    f"'{shown(name)}' is no file with a secret",
                    "name a text file, its path begins at the site folder",
                )
            return path.read_text(encoding="utf-8").rstrip("\r\n"), "", ""
        except OSError as error:
            return None, f"'{shown(name)}' cannot be read ({error.strerror})", "let the daemon's user read it"
        except UnicodeDecodeError:
            return None, f"'{shown(name)}' is not UTF-8 text", "save the secret as UTF-8 text"
