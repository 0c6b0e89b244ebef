"""An NPU for unmodified XRT programs: a library in the place of the amdxdna driver, a server with the
emulated array.
"""
