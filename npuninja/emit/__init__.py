"""Text from the graph: Ninja manifest, compile commands, JSON."""
