"""One file a strategy: pure functions of what is seen and what is remembered."""
