"""The demonstration's high-rise: everything of an office tower of 60,000 m2 but its cooling plant."""
