"""Runtime sequences to register writes, patches and waits."""
