"""Reference of mlir/mel_vector.mlir: Whisper's log-mel spectrum, by the integer model of the kernel.

The model is judged by the definition, examples/mel/whisper_log_mel.py, in tests/mel.
"""

from mel_clip import functions_for

inputs, reference = functions_for("mel_vector")
