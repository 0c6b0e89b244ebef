"""`aie` for designs in Python: npuninja's stand-in for MLIR-AIE's bindings (docs/python-designs.md)."""

from npuninja.python_designs.serving import serve

serve()
__version__ = "npuninja"
