#!/usr/bin/env python3
"""Log-mel by a design, the rest of Whisper by openai-whisper: `python examples/mel/transcribe.py speech.wav`.

Needs a built log-mel design and `pip install openai-whisper`, which loads the weights of the named model.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from whisper_mel import log_mel
from whisper_mel.wav import read_wav

from npuninja.errors import Error, ToolError


def transcribe(path, model_name, device, build_folder):
    """The text of the first 30 s of a file."""
    try:
        import torch
        import whisper
    except ImportError as error:
        raise ToolError(f"{error.name} is not installed", hint="pip install openai-whisper") from error
    model = whisper.load_model(model_name)
    mel = log_mel(read_wav(path)[0], bands=model.dims.n_mels, device=device, build_folder=build_folder)
    options = whisper.DecodingOptions(fp16=False, without_timestamps=True)
    return whisper.decode(model, torch.from_numpy(mel).to(model.device), options).text


def main():
    """Prints the text."""
    parser = argparse.ArgumentParser(
        description="transcribes the first 30 s of a WAV file, its log-mel computed by a design"
    )
    parser.add_argument("wav")
    parser.add_argument("--model", default="base.en", help="of openai-whisper (default: base.en)")
    parser.add_argument(
        "--device", choices=("auto", "npu", "emu"), default="auto", help="for the log-mel (default: auto)"
    )
    parser.add_argument("--build", default="build", help="where the designs are built (default: build)")
    options = parser.parse_args()
    try:
        print(transcribe(options.wav, options.model, options.device, options.build))
    except Error as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
