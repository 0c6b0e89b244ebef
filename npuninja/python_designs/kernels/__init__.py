"""`aie.iron.kernels`: functions that give ready kernels: signatures and flags over AMD's sources."""
