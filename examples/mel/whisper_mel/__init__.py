"""Whisper's log-mel spectrogram, computed by the designs mlir/mel*.mlir on an NPU or on the emulated array.

An application on npuninja's public interface. The layout of a clip and the scale of the output are those of
the designs' references, in host/ of the source tree.
"""

import os
import sys

_HOST = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))), "host"
)
if _HOST not in sys.path:
    sys.path.append(_HOST)

from whisper_mel.log_mel import LogMelStream, log_mel  # noqa: E402  (needs the path set above)
from whisper_mel.session import LogMel, find_manifest  # noqa: E402

__all__ = ["LogMel", "LogMelStream", "find_manifest", "log_mel"]
