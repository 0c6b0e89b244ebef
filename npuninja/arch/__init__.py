"""Device models, register map and stream switch of the Ryzen AI NPUs (AIE2 and AIE2P)."""
