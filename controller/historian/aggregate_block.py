"""Up to 1440 aggregates of one point and one step, compressed: a day of minutes, 60 days of hours, 4 years of days.

A version byte, then one zlib stream of eight parts as in `sample_block`: starts, samples, least, mean, greatest, last,
microseconds known, microseconds good. Version 1.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence

from controller.historian.aggregates import Bucket
from controller.historian.columns import (
    join,
    pack_integers,
    pack_optional_numbers,
    split,
    unpack_integers,
    unpack_optional_numbers,
)

VERSION = b"\x01"
INTERVALS = 1440


def encode(buckets: Sequence[Bucket]) -> bytes:
    """The buckets, at least one, in order of time."""
    starts, samples, least, mean, greatest, last, known, good = zip(*buckets, strict=True)
    parts = (
        pack_integers(starts),
        pack_integers(samples),
        pack_optional_numbers(least),
        pack_optional_numbers(mean),
        pack_optional_numbers(greatest),
        pack_optional_numbers(last),
        pack_integers(known),
        pack_integers(good),
    )
    return VERSION + zlib.compress(join(parts))


def decode(block: bytes) -> list[Bucket]:
    """Raises ValueError where the bytes are no block of this version."""
    starts, samples, least, mean, greatest, last, known, good = _parts(block)
    when = unpack_integers(starts)
    numbers = [unpack_optional_numbers(part, len(when)) for part in (least, mean, greatest, last)]
    counts = (unpack_integers(known), unpack_integers(good))
    return list(map(Bucket._make, zip(when, unpack_integers(samples), *numbers, *counts, strict=True)))


def decode_means(block: bytes) -> tuple[array[int], array[float]]:
    """Only the starts and the means, NaN where nothing was known: what a model reads, at a fraction of the work."""
    parts = _parts(block)
    starts = array("q", unpack_integers(parts[0]))
    means = unpack_optional_numbers(parts[3], len(starts))
    known = [float("nan") if mean is None else mean for mean in means] if None in means else means
    return starts, array("d", known)  # type: ignore[arg-type]


def _parts(block: bytes) -> list[bytes]:
    if block[:1] != VERSION:
        raise ValueError(f"aggregate block of version {block[:1].hex()}")
    try:
        parts = split(zlib.decompress(block[1:]))
    except (zlib.error, struct.error) as error:
        raise ValueError(f"damaged aggregate block: {error}") from error
    if len(parts) != 8:
        raise ValueError("damaged aggregate block")
    return parts
