"""The load of the next 24 hours, from calendar, recent load and temperature.

`jobs` is the way in and loads nothing heavy; the other modules need numpy or scikit-learn and belong in a worker.
"""
