"""mel_16core: Whisper's log-mel spectrum on the four columns of an npu1, four cores in each."""

from _mel_columns import module

print(module("mel_16core", "npu1", columns=4))
