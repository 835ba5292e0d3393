"""The simulated site behind real protocols, each with a wire codec of its own."""
