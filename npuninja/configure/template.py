"""build.ninja.in: the rules that come with npuninja, and what a project adds to them."""

from __future__ import annotations

import os
import re

from npuninja.settings.toml_file import read_text

TEMPLATE = "build.ninja.in"
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), TEMPLATE)
# A file with this rule has all of them; another one has statements of the project only.
_WHOLE = re.compile(r"^rule configure\s*$", re.MULTILINE)


def read_template(project_file: str) -> tuple[str, str]:
    """The file that messages name, and the text of all rules.

    Raises:
        UserError: the file is there and cannot be read.
    """
    if not os.path.isfile(project_file):
        return SHIPPED, read_text(SHIPPED)
    own = read_text(project_file)
    if _WHOLE.search(own):
        return project_file, own
    return project_file, f"{read_text(SHIPPED).rstrip()}\n\n# Of this project.\n\n{own}"
