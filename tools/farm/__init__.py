"""A farm for remote execution on this machine: a server, workers, and what keeps them running."""
