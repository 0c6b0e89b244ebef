"""Reference of mlir/mel.mlir: Whisper's log-mel spectrum, by the integer model in mel_model.py."""

from mel_clip import functions_for

inputs, reference = functions_for("mel")
