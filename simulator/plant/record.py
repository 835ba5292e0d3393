"""Named tuples that are made at every step of every machine, quickly.

A named tuple's own constructor goes by way of a Python function to name its fields, which takes as long as filling
them; a day of a plant makes a quarter of a million. Whoever calls `record` gives every field, in order: nothing checks
their number, and defaults do not apply. Where a record is made now and then its own constructor is the right one.
"""

from typing import Any

record = tuple[Any, ...].__new__
"""record(Kind, (first, second, ...)) is Kind(first, second, ...)."""
