"""The high level: objectFifos, workers, runtime, program; kernels and algorithms."""
