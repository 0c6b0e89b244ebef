"""Reference of mlir/mel128.mlir: the log-mel spectrum of large-v3, by the integer model in mel_model.py."""

from mel_clip import functions_for

inputs, reference = functions_for("mel128")
