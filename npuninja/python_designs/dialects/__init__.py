"""The dialects at the level of single operations: what `from aie.dialects.aie import *` gives a design."""
