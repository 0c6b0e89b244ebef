"""Step 2 of configure.py, `look`: what this machine has, and the provider of each stage."""

from __future__ import annotations

import os
from collections.abc import Mapping

from npuninja.configure.hosts import has_hosts, has_sources, read_hosts
from npuninja.configure.kernel_folder import read_kernel_folder
from npuninja.configure.launcher import find_launcher
from npuninja.configure.planned import PACKAGE
from npuninja.configure.project import Project
from npuninja.configure.remote import remote_settings
from npuninja.configure.settings import resolved_kernels
from npuninja.configure.settings_checks import check_pins, placed, remarks, unrecordable, variables_for
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import HOST_TOOLS, TOOLS, Toolchain, detect, surroundings_of
from npuninja.detect.xrt_library import XRT_LIBRARY
from npuninja.errors import ToolError
from npuninja.plan.designs import KERNELS
from npuninja.plan.host_program import HostProgram
from npuninja.plan.kernel_settings import own_kernels
from npuninja.plan.kernels import KernelFolder
from npuninja.plan.providers import Providers, choose, for_tests
from npuninja.plan.wasm_compiler import WasmCompiler, wasm_compiler
from npuninja.records import record
from npuninja.remote.settings import RemoteSettings
from npuninja.settings.toml_file import INSTALL


@record(frozen=True, kw_only=True)
class Machine:
    """What was found, and what was chosen of it.

    Attributes:
        toolchain: the proved tools.
        ninja: the program; "" when Make builds.
        compiler: what compiles for emulated cores; None without one.
        providers: of each stage.
        tested: the same for emulated cores, for `ninja test`; None if they are the same or have no compiler.
        launcher: the program that starts compilers; "" for none.
        remote: what runs stages elsewhere; None when all run here.
        kernels: the sources of kernel objects, with the paths that what was found gives them.
        hosts: the host programs, with paths as planning takes them.
        notes: what in the environment has no effect although one may think so; refused host programs.
    """

    toolchain: Toolchain
    ninja: str
    compiler: WasmCompiler | None
    providers: Providers
    tested: Providers | None
    launcher: str
    remote: RemoteSettings | None
    kernels: KernelFolder
    hosts: tuple[HostProgram, ...] = ()
    notes: tuple[str, ...] = ()


def look(project: Project, environment: Mapping[str, str]) -> Machine:
    """Looks at the machine through `environment`.

    Raises:
        ToolError: a tool that is needed or asked for is not usable; says what was examined.
        UserError: what is asked for does not go together.
    """
    options, settings = project.options, project.settings
    probes = os.path.join(project.layout.build_folder, "probe_cache.json")
    cache = ProbeCache(probes, for_all=not options.fresh)
    hosts = HOST_TOOLS if has_sources(settings) else (XRT_LIBRARY,)
    wanted = (*TOOLS, *(hosts if has_hosts(settings, project.designs.names) else ()))
    surroundings = surroundings_of(environment, settings.pins, settings.unused)
    toolchain = detect(surroundings, cache, settings.denied, wanted)
    check_pins(settings, toolchain)
    ninja = _ninja(toolchain) if options.generator == "ninja" else ""
    compiler = wasm_compiler(toolchain, project.choices)
    with placed(settings, project.asked):
        providers = choose(project.choices, toolchain, compiler)
    paths = variables_for(settings, options, environment, toolchain)
    kernels = resolved_kernels(settings, options, paths, project.layout.source_root)
    tested = for_tests(project.choices, toolchain, compiler) if providers.for_npu and compiler else None
    hosts_read = read_hosts(settings, paths, project.layout.source_root, project.designs.names)
    refused = (f"host program {program.name}: {program.refused}" for program in hosts_read if program.refused)
    return Machine(
        toolchain=toolchain,
        ninja=ninja,
        compiler=compiler,
        providers=providers,
        tested=tested,
        launcher=find_launcher(options.launcher, environment, compiler, providers),
        remote=remote_settings(options, environment, project.layout, toolchain, PACKAGE),
        kernels=read_kernel_folder(KERNELS, KERNELS, (*own_kernels(project.designs.designs), *kernels)),
        hosts=hosts_read,
        notes=(*remarks(environment), *unrecordable(PACKAGE, project.layout), *refused),
    )


def _ninja(toolchain: Toolchain) -> str:
    found, absent = toolchain.found("ninja"), toolchain.absent("ninja")
    if found:
        return found.path
    assert absent is not None
    raise ToolError(
        "no usable ninja", notes=((f"ninja: {absent.explain()}", None),), hint=f"{absent.remedy}; {INSTALL}"
    )
