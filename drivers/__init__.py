"""One folder a protocol; each driver holds one link with its devices."""
