"""`aie.iron.kernels`: functions that give ready kernels, as signatures and flags over AMD's kernel sources."""
