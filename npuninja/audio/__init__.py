"""Whisper's log-mel spectrogram, computed by the designs mlir/mel*.mlir on an NPU or on the emulated array."""
