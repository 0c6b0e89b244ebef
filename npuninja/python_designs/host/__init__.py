"""The host's side of designs: devices, tensors, `@iron.jit`, command lines, checks."""
