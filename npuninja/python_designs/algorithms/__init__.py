"""`aie.iron.algorithms`: whole designs from one function."""
