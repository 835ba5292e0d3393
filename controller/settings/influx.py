"""The database of site.yaml that history is copied to, its token looked up."""

from __future__ import annotations

from controller.core.site import InfluxDatabase
from controller.settings.problems import Problems
from controller.settings.reading import Reading
from controller.settings.schema.site import InfluxEntry, SiteFile
from controller.settings.secrets import Secrets

_HERE = ("historian", "influxdb")
_TOKEN = (*_HERE, "token")


def influx_database(site: Reading[SiteFile], secrets: Secrets, problems: Problems) -> InfluxDatabase | None:
    """None where the site names none, or one with problems."""
    document = site.document
    if document.get(_HERE) is None:
        return None
    entry = site.piece(_HERE, InfluxEntry)
    if entry is None:
        return None
    token = ""
    if entry.token is not None:
        resolved = secrets.resolved(document, _TOKEN)
        if resolved is None:
            return None
        token = str(resolved[0])
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            wrong = "what the secret holds is no token (it is empty, or has spaces, line breaks or other signs)"
            problems.add(document.file, document.line(_TOKEN), wrong, "check the secret; a token is one word")
    return InfluxDatabase(entry.url, entry.organisation, entry.bucket, token)
