"""History copied to InfluxDB (or what speaks its v2 write API, like VictoriaMetrics), through influxdb-client.

Import it only where a site names such a database: the library costs 30 MiB. Its asyncio face, because a request
that hangs can be cancelled there, and a thread cannot.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import ClientError
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from controller.core.errors import RecordsRefused, RemoteUnreachable
from controller.core.event import Event
from controller.core.point import Point, PointId
from controller.core.ports import RecordedSample
from controller.core.site import InfluxDatabase
from controller.historian.line_protocol import LineProtocol

REQUEST_TIMEOUT_S = 10.0
# What these say of a batch, they will say of it again: bad lines, too large, not to be processed.
_REFUSED = frozenset({400, 413, 422})
_MEANINGS = {
    401: "the token is refused",
    403: "the token may not write to this bucket",
    404: "there is no such organisation, bucket or API",
}
_LONGEST_CAUSE = 200


class InfluxHistorian:
    """One site's copy. The connection is made with the first records."""

    name = "influxdb"

    def __init__(
        self,
        database: InfluxDatabase,
        site: str,
        points: Mapping[PointId, Point],
        request_timeout: float = REQUEST_TIMEOUT_S,
    ) -> None:
        """request_timeout: seconds for one request as a whole."""
        self._database = database
        self._protocol = LineProtocol(site, points)
        self._request_timeout = request_timeout
        self._tls = ssl.create_default_context()  # 45 ms: here, before the scans begin, and not with the first request
        self._client: InfluxDBClientAsync | None = None

    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        lines = self._protocol.lines(records)
        if not lines:
            return 0
        try:
            taken = await self._write("\n".join(lines).encode())
        except ApiException as error:
            raise self._told(error) from error
        except (ClientError, TimeoutError, OSError) as error:
            raise RemoteUnreachable(self._clean(str(error)) or _silence(error, self._request_timeout)) from error
        if not taken:
            raise RemoteUnreachable("something answers there that is no InfluxDB (200 instead of 204)")
        return len(lines)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _write(self, lines: bytes) -> bool:
        """Whether the answer is InfluxDB's own (204)."""
        database = self._database
        if self._client is None:
            self._client = InfluxDBClientAsync(
                url=database.url,
                token=database.token,
                org=database.organisation,
                timeout=round(self._request_timeout * 1000),
                ssl_context=self._tls,
                allow_redirects=False,  # a redirected POST arrives as a GET, without its records
            )
        api: Any = self._client.write_api()  # the library's types are not whole
        send: Callable[..., Awaitable[bool]] = api.write
        return await send(database.bucket, database.organisation, lines, write_precision=WritePrecision.US)

    def _told(self, error: Any) -> RecordsRefused | RemoteUnreachable:
        """error: an ApiException, whose attributes are only partly typed."""
        meaning = _MEANINGS.get(error.status) or self._clean(str(error.message or error.reason or "")) or "no reason"
        cause = f"it answers {error.status}: {meaning}"
        if error.status in _REFUSED:
            return RecordsRefused(cause)
        return RemoteUnreachable(cause, _seconds(error.retry_after))

    def _clean(self, text: str) -> str:
        """One short line, whatever the far end sent, and never the token."""
        if self._database.token:
            text = text.replace(self._database.token, "***")
        return " ".join(text.split())[:_LONGEST_CAUSE]


def _silence(error: Exception, timeout: float) -> str:
    return f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else type(error).__name__


def _seconds(retry_after: str | None) -> float:
    """Retry-After as seconds (RFC 9110, 10.2.3). Its other form, a date, depends on two clocks: counts as nothing."""
    return float(retry_after) if retry_after is not None and retry_after.isascii() and retry_after.isdigit() else 0.0
