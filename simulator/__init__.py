"""The plant, its own old controls, and servers that speak the real protocols."""
