"""`aie.iron.kernels`: functions for ready kernels, as signatures and flags over AMD's kernel sources."""
