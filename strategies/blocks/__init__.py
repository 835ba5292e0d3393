"""Control blocks that strategies share: state in, state out."""
