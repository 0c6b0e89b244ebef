"""Whisper's log-mel spectrogram, computed by the designs mlir/mel*.mlir on an NPU or on the emulated array."""

from npuninja.audio.log_mel import LogMelStream, log_mel
from npuninja.audio.session import LogMel, find_manifest

__all__ = ["LogMel", "LogMelStream", "find_manifest", "log_mel"]
