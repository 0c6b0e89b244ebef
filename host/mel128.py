"""Reference of mlir/mel128.mlir: the log-mel spectrum of large-v3, by the integer model of the kernel.

The model is judged by the definition, examples/mel/whisper_log_mel.py, in tests/mel.
"""

from mel_clip import right_answer, test_clip


def inputs(rng, arguments):
    """A clip of 30 s: noise in bursts of all levels."""
    return [test_clip("mel128", rng)]


def reference(inputs):
    """Every frame, to the last bit."""
    (samples,) = inputs
    return [right_answer("mel128", samples)]
