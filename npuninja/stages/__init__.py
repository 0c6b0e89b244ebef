"""What an edge of the graph runs."""
