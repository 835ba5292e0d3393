"""The sun clock: when the outdoor lamps of many places go on and off, for people who switch them by hand."""
