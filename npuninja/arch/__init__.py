"""Device models and the register map of npu1 and npu2."""
