"""Text from the graph: build.ninja, compile_commands.json, graph.json."""
