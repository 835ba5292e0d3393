"""The demonstration's tower building, whole: high-rise and cooling plant behind one set of tags, with gateways between
its machines and a supervisor, and with what can go wrong.
"""
