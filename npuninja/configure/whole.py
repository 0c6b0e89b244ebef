"""configure.py from end to end: four steps, each a record that the next one is made of."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence

from npuninja import TYPE_CHECKING, __version__
from npuninja.build_places import COMPILERS, RECORD
from npuninja.configure.faults import read_faults
from npuninja.configure.interruption import interruptible, keep_outputs
from npuninja.configure.machine import Machine, look
from npuninja.configure.options import Options, parse_options
from npuninja.configure.planned import PACKAGE, Planned, modules_stamp
from npuninja.configure.planning import Causes
from npuninja.configure.project import Project, configure_words, open_project, source_root_of
from npuninja.configure.record import read_record, write_record
from npuninja.configure.remote import REMOTE_SETTINGS
from npuninja.configure.settings import variables_in
from npuninja.configure.summary import summary
from npuninja.configure.watched import remember, remember_again
from npuninja.detect.machine import heavy_jobs
from npuninja.emit.escape import quote_word
from npuninja.errors import INTERRUPTED, Error, Location, ToolError, in_words, report, report_bug
from npuninja.files import write_if_changed
from npuninja.own_compiler import OWN_COMPILERS, compilers_text
from npuninja.plan.designs import Faulty
from npuninja.plan.layout import layout_of
from npuninja.records import NamedTuple
from npuninja.settings.schema import write_schema
from npuninja.terminal import tell, use_colour

if TYPE_CHECKING:
    from typing import TextIO


class Configured(NamedTuple):
    """The result: what is to be said, the designs that cannot be built, and the sources that the build
    is to make before this is known to be all, with the places that say how.
    """

    text: str
    faulty: tuple[Faulty, ...]
    awaited: tuple[tuple[str, Location], ...] = ()


def run(arguments: Sequence[str], environment: Mapping[str, str], output: TextIO | None, home: str) -> int:
    """Runs configure.py; returns its exit code. The arguments are those of `npuninja.configure.main`."""
    colour = use_colour(environment, output is not None and output.isatty())
    try:
        options = parse_options(arguments)
        again = options.regenerate
        if again:
            words, environment = read_record(again)
            options = parse_options(words)
            keep_outputs(layout_of(source_root_of(options, home), options.build_folder))
        if options.why is not None:
            from npuninja.configure.why import why

            text = why(options.why, layout_of(source_root_of(options, home), options.build_folder))
            done = Configured(text, ())
        else:
            done = configure_interruptibly(options, environment, home, colour, again is not None)
        # When Ninja asks, one line is enough; the table was shown by the configure that was asked for.
        if output is not None:
            output.write(done.text.splitlines()[-1] + "\n" if again else done.text)
            output.flush()
        for fault in done.faulty:
            tell(fault.text)
        for path, place in done.awaited:
            tell(f"{place}: note: {path} is not there yet: the build makes it first, and configures again")
        # Ninja is to build the others; it says these faults at its end.
        if done.faulty and not done.awaited and not again:
            return max(fault.exit_code for fault in done.faulty)
    except BrokenPipeError:
        # The reader has gone (`configure.py | head`). Python would complain when it closes the output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (Error, OSError) as error:
        return report(error if isinstance(error, Error) else _of_the_machine(error))
    except Exception:
        return report_bug()
    return 0


def configure_interruptibly(
    options: Options, environment: Mapping[str, str], home: str, colour: bool, by_ninja: bool
) -> Configured:
    """As `configure`; when Ninja started it, what Ninja deletes after Ctrl-C is put back."""
    with interruptible(by_ninja):
        return configure(options, environment, home, colour)


def _of_the_machine(error: OSError) -> Error:
    """The error for a file or folder that cannot be read or written."""
    what = error.filename if error.filename is not None else "the output"
    return ToolError(f"cannot read or write {what}: {in_words(error)}")


def configure(options: Options, environment: Mapping[str, str], home: str, colour: bool) -> Configured:
    """Does the work. Changes the working folder to the project's."""
    started_ns = time.time_ns()
    stamp = modules_stamp()
    project = open_project(options, home, environment, lambda: stamp)
    machine = look(project, environment)
    record = _record(project, machine, environment)
    causes = Causes(
        project=project, machine=machine, placeholders=_placeholders(project, record), header=_header(project)
    )
    planned = Planned(project.layout.build_folder, causes.digest(), stamp)
    changed, found = False, project.designs
    awaited: tuple[tuple[str, Location], ...] = ()
    if planned.still_holds():
        found = found.without([f for f in read_faults(project.layout) if f not in found.faulty])
        remember_again(project.layout.build_folder, project.layout.ninja_folder, started_ns)
    else:
        # Half of all modules: without a change they are not loaded.
        from npuninja.configure.build_files import SCANNING, write
        from npuninja.configure.planning import make_plan
        from npuninja.configure.stage_modules import stage_modules
        from npuninja.stages.table import digested_stages

        modules = stage_modules(
            PACKAGE, stamp, digested_stages(), project.layout.build_folder, not options.fresh, SCANNING
        )
        plan = make_plan(causes, modules)
        found = plan.designs
        done = write(plan)
        changed, awaited = done.changed, done.awaited
        if not awaited:
            planned.remember(done.written)
        remember(
            project.layout.build_folder,
            project.layout.ninja_folder,
            started_ns,
            done.watched_files,
            done.made,
        )
    text = summary(
        machine.providers, machine.toolchain, found, changed, colour, project.options, machine.notes, _width()
    )
    return Configured(text, found.faulty, awaited)


def _width() -> int:
    """Of the terminal, in characters; 0 when the output goes elsewhere."""
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0


def _record(project: Project, machine: Machine, environment: Mapping[str, str]) -> str:
    """Keeps what Ninja needs to configure again; returns the file."""
    chosen = {
        c.stage: {"provider": c.name, "version": c.version, "why": c.reason} for c in machine.providers.chosen
    }
    path = os.path.join(project.layout.build_folder, RECORD)
    _record_compilers(project, machine)
    if project.settings.file:
        write_schema(project.layout.build_folder)
    words = variables_in(project.settings, project.options)
    write_record(path, project.layout.source_root, project.recorded, environment, chosen, words)
    return path


def _record_compilers(project: Project, machine: Machine) -> None:
    """Keeps what npuninja compiles its own modules with, for processes that run in the build folder."""
    found = {name: machine.toolchain.found(name) for name in OWN_COMPILERS}
    paths = {name: tool.path if tool else False for name, tool in found.items()}
    root = project.layout.source_root
    places = {
        name: where._replace(file=os.path.join(root, where.file))
        for name, where in project.settings.pin_places.items()
        if name in paths
    }
    path = os.path.join(project.layout.build_folder, COMPILERS)
    write_if_changed(path, compilers_text(paths, places))


def _placeholders(project: Project, record: str) -> dict[str, tuple[str, ...]]:
    """The placeholders of build.ninja.in that are about this machine, as words of a command line."""
    # Windows starts commands without a shell; Make's recipes go on after them.
    by_shell = os.name == "posix" and project.options.generator == "ninja"
    layout = project.layout
    return {
        "EXEC": ("exec",) if by_shell else (),
        "BUILD_FOLDER": (layout.output_prefix or ".",),
        # The file, not its folder: that spares every edge the 6 ms that Python needs to run a folder.
        "STAGES": (os.path.join(PACKAGE, "stages", "__main__.py"),),
        "PROGRAM": (PACKAGE,),
        "REMOTE": (os.path.join(PACKAGE, "remote", "__main__.py"), layout.output(REMOTE_SETTINGS)),
        "CONFIGURE": configure_words(project.home),
        "CONFIG": (record,),
        "HEAVY_JOBS": (str(heavy_jobs()),),
    }


def _header(project: Project) -> tuple[str, ...]:
    words = " ".join(quote_word(word) for word in project.recorded)
    return (
        f"Made by npuninja {__version__} from build.ninja.in. Do not edit: "
        "the next configure writes it again.",
        f"To make it again: configure.py {words}".rstrip(),
    )
