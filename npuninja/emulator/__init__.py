"""The emulated NPU: an array driven by registers, with wasm cores."""
