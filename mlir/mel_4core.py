"""mel_4core: Whisper's log-mel spectrum on the four cores of one column."""

from _mel_columns import module

print(module("mel_4core", "npu1_1col", columns=1))
