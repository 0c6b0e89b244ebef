"""Which tools are on this machine, each proved by running it.

Nothing here changes anything but the probe cache.
"""
