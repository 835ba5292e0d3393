"""What both ends of a control socket know. Loading this costs nothing: a command need not load a daemon to ask one."""

VERSION = 1
"""Of requests and answers."""
SIMULATOR_SOCKET = "simulator.sock"
"""Where a site's simulator is asked, in `state/`."""
