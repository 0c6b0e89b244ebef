"""build.ninja.in: the rules that come with npuninja, and what a project adds to them."""

from __future__ import annotations

import os
import re

from npuninja.emit.template import Template
from npuninja.plan.words import tool_variables
from npuninja.settings.toml_file import read_text

TEMPLATE = "build.ninja.in"
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), TEMPLATE)
# A file with this rule has all of them; another one has statements of the project only.
_WHOLE = re.compile(r"^rule configure\s*$", re.MULTILINE)


def read_template(project_file: str) -> Template:
    """The rules of a project.

    Raises:
        UserError: the file is there and cannot be read, or a line is not Ninja's language; located.
    """
    if not os.path.isfile(project_file):
        return Template(read_text(SHIPPED), SHIPPED, tool_variables())
    own = read_text(project_file)
    shipped = "" if _WHOLE.search(own) else read_text(SHIPPED)
    return Template(own, project_file, tool_variables(), shipped)
