"""configure.py from end to end: options, detection, designs, graph, files, summary."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TextIO

from npuninja import __version__
from npuninja.configure.build_files import BuildText, write_for_make, write_for_ninja
from npuninja.configure.designs import read_project
from npuninja.configure.faults import read_faults, sources_of, write_faults
from npuninja.configure.interruption import interruptible, keep_outputs
from npuninja.configure.launcher import find_launcher
from npuninja.configure.options import (
    PREFIX,
    Options,
    makefile_name,
    parse_options,
    to_arguments,
    with_absolute_paths,
)
from npuninja.configure.package_table import package_of_project
from npuninja.configure.planned import Planned
from npuninja.configure.record import read_record, write_record
from npuninja.configure.remote import REMOTE_SETTINGS, remote_settings
from npuninja.configure.settings import (
    Settings,
    read_settings,
    resolved_kernels,
    variables_in,
    with_settings,
)
from npuninja.configure.settings_checks import check_pins, placed, remarks, variables_for
from npuninja.configure.summary import summary, use_colour
from npuninja.configure.template import TEMPLATE, read_template
from npuninja.configure.why import why
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import TOOLS, Toolchain, detect, surroundings_of
from npuninja.detect.memory import heavy_jobs
from npuninja.emit.batch import parts_of
from npuninja.emit.escape import quote_word
from npuninja.emit.ninja import rules_of
from npuninja.emit.rules import rule_commands
from npuninja.errors import Error, InternalError, ToolError, UserError
from npuninja.plan.designs import FOLDER, Faulty
from npuninja.plan.files import write_if_changed
from npuninja.plan.ingredients import Recipe
from npuninja.plan.kernels import read_kernel_folder
from npuninja.plan.layout import GRAPH, Layout, layout_of
from npuninja.plan.package_recipe import PLAN, package_plan
from npuninja.plan.providers import choose, for_tests, parse_choices, wasm_compiler
from npuninja.plan.recipe import plan
from npuninja.remote.identities import package_files
from npuninja.remote.rules import REMOTE_RULES
from npuninja.settings.toml_file import INSTALL

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SETTINGS = "toolchain.toml"
INTERRUPTED = 130  # what shells give for Ctrl-C: 128 + SIGINT
# Files of the build folder that hold what an earlier configure found.
REMEMBERED = ("config.toml", "planned.json", "probe_cache.json", "scan_cache.json", "compiler_cache")


class Configured(NamedTuple):
    """What came of it: what is to be said, and the designs that cannot be built."""

    text: str
    faulty: tuple[Faulty, ...]


def main(
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    output: TextIO | None = None,
    home: str | None = None,
) -> int:
    """Runs configure.py; returns its exit code. Without arguments, for the program that runs: a project's
    configure.py need not say more.

    Args:
        arguments: the command line.
        environment: of the caller; it alone decides, not the process's.
        output: for the summary; None when it is closed. Errors go to stderr.
        home: the folder of configure.py, where the project is unless `-S` says otherwise.
    """
    if arguments is None:
        arguments, output = sys.argv[1:], sys.stdout
    home = home or os.path.dirname(os.path.abspath(sys.argv[0]))
    colour = use_colour(environment, output is not None and output.isatty())
    try:
        options = parse_options(arguments)
        again = options.regenerate
        if again:
            words, environment = read_record(again)
            options = parse_options(words)
            keep_outputs(layout_of(_source_root(options, home), options.build_folder))
        if options.why is not None:
            text = why(
                options.why, layout_of(os.path.abspath(options.source_root or home), options.build_folder)
            )
            faulty: tuple[Faulty, ...] = ()
        else:
            text, faulty = configure_interruptibly(options, environment, home, colour, again is not None)
        # When Ninja asks, one line is enough; the table was shown by the configure that was asked for.
        if output is not None:
            output.write(text.splitlines()[-1] + "\n" if again else text)
            output.flush()
        for fault in faulty:
            print(fault.text, file=sys.stderr)
        if faulty and not again:  # Ninja is to build the others; it says these faults at its end
            return max(fault.exit_code for fault in faulty)
    except BrokenPipeError:
        # The reader has gone (`configure.py | head`). Python would complain when it closes the output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (Error, OSError) as error:
        told = error if isinstance(error, Error) else _of_the_machine(error)
        print(told.render(), file=sys.stderr)
        return told.exit_code
    except Exception:
        traceback.print_exc()
        print("error: this is a bug of npuninja; please report it with the lines above", file=sys.stderr)
        return InternalError.exit_code
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
    return ToolError(f"cannot read or write {what}: {(error.strerror or str(error)).lower()}")


def configure(options: Options, environment: Mapping[str, str], home: str, colour: bool) -> Configured:
    """Does the work. Changes the working folder to the project's."""
    source_root = _source_root(options, home)
    layout = layout_of(source_root, options.build_folder)
    options = with_absolute_paths(options)
    if source_root != os.path.abspath(home) and not options.source_root:
        options = replace(options, source_root=source_root)
    _check_folders(layout)
    # From here on paths are relative to the project, in messages too: `mlir/passthrough.mlir:4:5`.
    os.chdir(source_root)
    recorded = to_arguments(options)
    if options.fresh:
        _forget(layout)
    settings = _settings(options)
    options = with_settings(options, settings)
    choices = {**settings.providers, **parse_choices(options.providers)}

    cache = ProbeCache(os.path.join(layout.build_folder, "probe_cache.json"))
    toolchain = detect(surroundings_of(environment, settings.pins, settings.unused), cache, settings.denied)
    check_pins(settings, toolchain)
    ninja = _ninja(toolchain) if options.generator == "ninja" else None
    project = read_project(options, settings, layout)
    compiler = wasm_compiler(toolchain)
    with placed(settings, parse_choices(options.providers)):
        choice = choose(choices, toolchain, compiler)
    template_file, template = read_template(TEMPLATE)
    kernels = read_kernel_folder(
        "kernels",
        "kernels",
        resolved_kernels(
            settings, options, variables_for(settings, options, environment, toolchain), source_root
        ),
    )
    launcher = find_launcher(options.launcher, environment, compiler, choice)
    rules = rules_of(template)
    batched = frozenset() if options.separate else frozenset(parts_of(template))
    recipe = Recipe(
        layout, toolchain, compiler, choice, kernels, rules, batched, options.werror, launcher, options.check
    )
    package = package_of_project(settings.package, settings.file, options.preset)
    recipe = replace(recipe, package=package, prefix=options.prefix or PREFIX)
    emulated = None
    if choice.real_cores and compiler:
        emulated = replace(recipe, choice=for_tests(choices, toolchain, compiler))
    remote = remote_settings(options, environment, layout, toolchain, PACKAGE)

    chosen = {p.stage: {"provider": p.name, "version": p.version, "why": p.reason} for p in choice.providers}
    record = os.path.join(layout.build_folder, "config.toml")
    write_record(record, recorded, environment, chosen, variables_in(settings, options))
    places, header = _places(layout, home, record, options.generator), _header(recorded)
    hosts = sorted(os.listdir("host")) if os.path.isdir("host") else None
    # Without its sets, whose order is another in every process; they follow from the template and the
    # options.
    ordered = replace(recipe, rules=frozenset(), batched=frozenset())
    tested = emulated.choice if emulated else None
    causes = (ordered, tested, project, remote, options, places, header, template, hosts, settings.content)
    planned = Planned(layout.build_folder, causes, PACKAGE)
    notes = remarks(environment)
    if planned.still_holds():
        project = project.without([f for f in read_faults(layout) if f not in project.faulty])
        return Configured(summary(choice, toolchain, project, False, colour, options, notes), project.faulty)

    refused = list(project.faulty)
    graph = plan(recipe, project.designs, emulated, project.wanted, refused)
    project = project.without(refused[len(project.faulty) :])
    designs = project.designs
    if remote:
        graph.remote_rules = frozenset(REMOTE_RULES)
        write_if_changed(os.path.join(layout.build_folder, REMOTE_SETTINGS), remote.as_json())
    inputs = [os.path.join(home, "configure.py"), template_file, settings.file or os.curdir]
    inputs += [file for design in designs for file in (design.source, *design.imports)]
    inputs += [file for fault in project.faulty for file in sources_of(fault)]
    inputs += [*([FOLDER] if os.path.isdir(FOLDER) else []), *kernels.folders]
    inputs += [*(["host"] if hosts is not None else []), *_planning_modules()]
    inputs += package.license_files
    inputs += [*package_files(PACKAGE), remote.trexe] if remote else []
    used = [(tool, found) for tool in TOOLS if (found := toolchain.found(tool.name))]
    inputs += [file for tool, found in used for file in (found.path, *tool.companions(found.path))]
    looked_at = tuple(sorted({layout.source(file) for file in inputs}))
    package_file = os.path.join(layout.build_folder, PLAN)
    packed = [design for design in designs if design.name in project.wanted]
    write_if_changed(package_file, package_plan(recipe, packed, rule_commands(template), ninja or ""))
    also = tuple(layout.from_build_folder(design.mlir) for design in designs if design.mlir != design.source)
    also += (layout.output(PLAN), layout.output(GRAPH))
    fault_files = write_faults(layout, project.faulty)
    text = BuildText(layout, template, template_file, places, tuple(header), looked_at, also)
    if ninja:
        changed, written = write_for_ninja(graph, text, ninja)
    else:
        changed, written = write_for_make(graph, text, makefile_name(options.build_folder))
    planned.remember([*written, package_file, *fault_files])
    return Configured(summary(choice, toolchain, project, changed, colour, options, notes), project.faulty)


def _source_root(options: Options, home: str) -> str:
    """The project: what `-S` says, else the current folder when it is one, else that of configure.py."""
    if options.source_root:
        return os.path.abspath(options.source_root)
    here = os.getcwd()
    return here if any(map(os.path.exists, (FOLDER, SETTINGS))) else os.path.abspath(home)


def _check_folders(layout: Layout) -> None:
    """Makes the build folder. Raises UserError when there is no project, or no build folder can be."""
    if not os.path.isdir(layout.source_root):
        raise UserError(
            f"-S: there is no folder {layout.source_root}", hint="give the folder that has mlir/ and kernels/"
        )
    try:
        os.makedirs(layout.build_folder, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the build folder {layout.build_folder}: {(error.strerror or str(error)).lower()}",
            hint="give another one with -B FOLDER",
        ) from error


def _settings(options: Options) -> Settings:
    """The toolchain.toml that counts: the one that is named, else the project's, else none."""
    file = options.toolchain or (SETTINGS if os.path.isfile(SETTINGS) else None)
    if file is None and options.preset:
        raise UserError(
            f"there is no preset {options.preset!r}", hint=f"there is no {SETTINGS} in {os.getcwd()}"
        )
    return read_settings(file, options.preset) if file else Settings(folder=os.getcwd())


def _ninja(toolchain: Toolchain) -> str:
    found, absent = toolchain.found("ninja"), toolchain.absent("ninja")
    if found:
        return found.path
    assert absent is not None
    raise ToolError(
        "no usable ninja", notes=((f"ninja: {absent.explain()}", None),), hint=f"{absent.remedy}; {INSTALL}"
    )


def _forget(layout: Layout) -> None:
    for name in REMEMBERED:
        path = os.path.join(layout.build_folder, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)


def _planning_modules() -> list[str]:
    """The modules of npuninja that planning consists of.

    Those that are loaded, and those that are only loaded to scan a design that changed: the list must not
    depend on that.
    """
    files = {
        getattr(module, "__file__", None) or ""
        for name, module in sys.modules.items()
        if name.startswith("npuninja")
    }
    files.add(os.path.join(PACKAGE, "lowering", "resources", "place_tiles.py"))
    for folder in ("ir", "plan"):
        files.update(
            os.path.join(PACKAGE, folder, name) for name in os.listdir(os.path.join(PACKAGE, folder))
        )
    return [file for file in files if file.endswith(".py")]


def _places(layout: Layout, home: str, record: str, generator: str) -> dict[str, tuple[str, ...]]:
    """The placeholders of build.ninja.in that are about this machine, as words of a command line."""
    # Windows starts commands without a shell; Make's recipes go on behind them.
    by_shell = os.name == "posix" and generator == "ninja"
    return {
        "START": ("exec",) if by_shell else (),
        "BUILD_FOLDER": (layout.output_prefix or ".",),
        # The file, not its folder: that spares every edge the 6 ms that Python needs to run a folder.
        "STAGES": (os.path.join(PACKAGE, "stages", "__main__.py"),),
        "PROGRAM": (PACKAGE,),
        "REMOTE": (os.path.join(PACKAGE, "remote", "__main__.py"), layout.output(REMOTE_SETTINGS)),
        "CONFIGURE": (os.path.join(home, "configure.py"),),
        "CONFIG": (record,),
        "HEAVY_JOBS": (str(heavy_jobs()),),
    }


def _header(recorded: Sequence[str]) -> list[str]:
    words = " ".join(quote_word(word) for word in recorded)
    return [
        f"Made by npuninja {__version__} from build.ninja.in. Do not edit: the next configure writes it anew.",
        f"To make it again: configure.py {words}".rstrip(),
    ]
