"""Reference of mlir/mel_16core.py: Whisper's log-mel spectrum, by the integer model in mel_model.py."""

from mel_clip import functions_for

inputs, reference = functions_for("mel_16core")
