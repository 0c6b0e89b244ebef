"""Reference of mlir/mel128.mlir: the log-mel spectrum of large-v3, by the integer model of the kernel.

The model is judged by the definition, examples/mel/whisper_log_mel.py, in tests/mel.
"""

from mel_clip import functions_for

inputs, reference = functions_for("mel128")
