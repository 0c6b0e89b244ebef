"""An NPU for unmodified XRT programs: a library in the amdxdna driver's place, a server with the array."""
