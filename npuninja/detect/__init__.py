"""Which tools are on this machine, each proved by running it."""
