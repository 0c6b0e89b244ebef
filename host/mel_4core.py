"""Reference of mlir/mel_4core.py: Whisper's log-mel spectrum, by the integer model of the kernel.

The model is judged by the definition, examples/mel/whisper_log_mel.py, in tests/mel.
"""

from mel_clip import right_answer, test_clip


def inputs(rng, arguments):
    """A clip of 30 s: noise in bursts of all levels."""
    return [test_clip("mel_4core", rng)]


def reference(inputs):
    """Every frame, to the last bit."""
    (samples,) = inputs
    return [right_answer("mel_4core", samples)]
