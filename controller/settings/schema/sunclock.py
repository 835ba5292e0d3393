"""sunclock.yaml as it may be written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from controller.core.terrain import DARK
from controller.settings.schema.words import Entry, SecretReference, Span
from controller.settings.web_address import web_address


class SunclockFile(Entry):
    """Which keys belong together is demanded in lamp_messages.py."""

    places: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$",
            description="the name of a CSV file in the site's folder, like estates.csv",
        ),
    ]
    at: Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time of day like 08:00")]
    to: SecretReference
    message: Literal["markdown", "text"] = "markdown"
    pictures: bool = True
    light: Annotated[float, Field(ge=5, le=200)] = DARK
    answers: (
        Annotated[
            str,
            AfterValidator(web_address),
            Field(max_length=300, description="an address like https://lamps.example.org"),
        ]
        | None
    ) = None
    answer_within: Span = timedelta(hours=2)
    escalate_to: SecretReference | None = None
