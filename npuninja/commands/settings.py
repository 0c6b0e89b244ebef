"""`npuninja settings`: what toolchain.toml can say, as page, schema or file to start from; or checks one."""

from __future__ import annotations

import json
import os

from npuninja.argument_parser import VerbParser
from npuninja.errors import UserError
from npuninja.settings.pages import reference_page, template
from npuninja.settings.reader import SettingsFile
from npuninja.settings.schema import schema


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the exit code."""
    parser = VerbParser(
        prog="npuninja settings",
        description="Checks a toolchain.toml, or says what can be in one.",
    )
    parser.add_argument(
        "file", nargs="?", default="toolchain.toml", help="the file (default: toolchain.toml)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--reference", action="store_true", help="print the reference page (Markdown)")
    what.add_argument("--schema", action="store_true", help="print the JSON schema")
    what.add_argument("--template", action="store_true", help="print a file with every key as a comment")
    options = parser.parse_args(arguments)
    if options.reference:
        print(reference_page(), end="")
    elif options.schema:
        print(json.dumps(schema(), indent=1))
    elif options.template:
        print(template(), end="")
    else:
        if not os.path.isfile(options.file):
            raise UserError(
                f"there is no {options.file}", hint="npuninja settings --template > toolchain.toml"
            )
        file = SettingsFile(options.file)
        for preset in file.presets():
            file.with_preset(preset)
        presets = f"; presets: {', '.join(file.presets())}" if file.presets() else ""
        print(f"{options.file} is right{presets}")
    return 0
