"""Physics of the equipment: small functions of states and inputs, with their sources."""
