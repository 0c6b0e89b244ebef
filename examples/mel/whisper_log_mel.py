#!/usr/bin/env python3
"""Whisper's log-mel spectrogram in float64: `python examples/mel/whisper_log_mel.py speech.wav -o mel.npy`.

The reference that the log-mel designs are judged by, without any NPU or emulation, from the definition in
examples/mel/whisper_mel/definition.py.
"""

import argparse
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from mel_scale import CLIP_SAMPLES
from whisper_mel.definition import whisper_input
from whisper_mel.wav import read_wav

from npuninja.errors import Error


def main():
    """Computes what Whisper takes for the first 30 s of a file."""
    parser = argparse.ArgumentParser(description="Whisper's log-mel spectrogram of a WAV file, in float64")
    parser.add_argument("wav")
    parser.add_argument("-o", "--output", required=True, help="NumPy file, float32 of shape (bands, 3000)")
    parser.add_argument("--bands", type=int, choices=(80, 128), default=80)
    options = parser.parse_args()
    try:
        samples = read_wav(options.wav)[0][:CLIP_SAMPLES]
    except Error as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    clip = np.pad(samples, (0, CLIP_SAMPLES - len(samples))) / 32768
    np.save(options.output, whisper_input(clip, options.bands).astype(np.float32))
    return 0


if __name__ == "__main__":
    sys.exit(main())
