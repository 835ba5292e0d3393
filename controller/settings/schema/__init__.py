"""The files of a site as they may be written. Nothing past this package knows them.

What a reader must know of a field stands in docs/configuration.md.
"""
