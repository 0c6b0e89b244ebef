"""The attacks that this project once fell to, by kind, and the tests that show that it does not any more.

A row is a number, what was done, what is wanted, and the tests, as `file::function`; `test_rows.py` fails
when one is gone. What an outsider would try in addition is in the files of this folder.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One kind of attack."""

    what: str
    wanted: str
    tests: tuple[str, ...]


HOSTILE = "emulator/test_hostile_modules.py"
CHECKS = "emulator/test_checks.py"
TEXT = "ir/test_hostile_text.py"
PROGRAMS = "attack/test_hostile_programs.py"
ROWS: dict[str, Row] = {
    "A1": Row(
        "a kernel's memcpy, memset or struct copy to a bad address killed the process",
        "the fault of a plain store: address, C line, callers; a stack overflow by name",
        (
            f"{HOSTILE}::test_wild_pointers_of_kernels_are_faults_with_a_line",
            f"{HOSTILE}::test_a_block_copy_over_the_end_of_the_stack_is_an_overflow_by_name",
            f"{HOSTILE}::test_block_copies_do_what_memmove_does",
        ),
    ),
    "A2": Row(
        "missing acquire, early release, two cores on one buffer, a descriptor in flight: right by chance",
        "a race by name, with both accesses and the lock",
        (
            f"{CHECKS}::test_planted_races_are_found_and_named",
            f"{CHECKS}::test_two_cores_on_one_buffer_need_a_lock",
            "device/test_conformance_runs.py::test_design_computes",
        ),
    ),
    "A3": Row(
        "any user of the machine could run commands through a farm on loopback",
        "a socket in a folder of mode 0700, never open",
        (
            "tools/test_farm.py::test_a_farm_listens_where_only_its_user_can_go",
            "tools/test_farm_command.py::test_a_farm_has_no_port_and_is_never_open",
            "tools/test_farm_command.py::test_a_folder_that_is_a_link_or_somebody_elses_is_refused",
            "tools/test_farm_command.py::test_a_farms_folder_is_its_users_alone",
        ),
    ),
    "A4": Row(
        "odd blanks took exponential time, or were skipped",
        "linear time, refused with place",
        (
            f"{TEXT}::test_odd_blanks_are_refused_where_they_stand",
            f"{TEXT}::test_an_odd_blank_between_good_tokens_is_not_skipped",
            f"{TEXT}::test_blanks_take_linear_time",
            "attack/test_linear_time.py::test_work_grows_with_the_length",
        ),
    ),
    "A5": Row(
        "an output that is a device, a FIFO or a link was replaced by a file",
        "written to, never renamed over",
        (
            "test_files.py::test_a_fifo_and_a_device_stay_what_they_are",
            "test_files.py::test_a_link_is_written_through",
            "attack/test_special_files.py::test_outputs_of_verbs_that_are_special_stay_what_they_are",
        ),
    ),
    "A6": Row(
        "every program that a shell started under `npuninja emu` died",
        "works",
        ("xrt_emulation/test_shells.py::test_what_a_shell_starts_lives",),
    ),
    "A7": Row(
        "a module's start function looped before any limit",
        "limits hold from the first instruction",
        (
            f"{HOSTILE}::test_what_the_abi_does_not_have_is_refused",
            f"{HOSTILE}::test_a_loop_without_end_ends_at_the_limit",
            "device/test_interface.py::test_ctrl_c_ends_an_endless_core",
            "xrt_emulation/test_robustness.py::test_killed_client_does_not_leave_an_endless_core",
            "attack/test_foreign_modules.py::test_a_module_as_no_linker_makes_it_is_refused",
        ),
    ),
    "A8": Row(
        "a few words stood for gigabytes or hours",
        "a bound for each, stated in the error",
        (
            "test_limits.py::test_a_row_says_what_its_constant_is",
            f"{TEXT}::test_bombs_and_torn_texts_are_refused",
            f"{TEXT}::test_counts_that_no_tile_has_are_refused_before_they_are_built",
            f"{HOSTILE}::test_a_fill_of_more_than_a_tile_is_refused",
            f"{HOSTILE}::test_a_table_that_grows_has_an_end",
            "device/test_memory_limit.py::test_buffers_end_at_the_limit",
            "attack/test_bombs.py::test_a_small_design_that_stands_for_much_is_refused",
            "attack/test_bombs.py::test_a_fill_without_end_is_refused_by_every_reader",
            f"{PROGRAMS}::test_parts_of_an_elf_that_lie_upon_each_other_are_refused",
            f"{PROGRAMS}::test_a_table_of_files_that_says_too_much_is_left_out",
            f"{PROGRAMS}::test_assembly_that_stands_for_too_much_is_refused_with_its_line",
        ),
    ),
    "A9": Row(
        "a manifest's reference was executed, from anywhere, unasked",
        "with --verify only, inside the manifest's folder, by name",
        (
            "device/test_manifest.py::test_a_manifest_names_files_of_its_own_folder_only",
            "attack/test_foreign_references.py::test_a_reference_runs_when_it_is_asked_for_only",
        ),
    ),
    "A10": Row(
        "wild stores changed locks and saved state; overruns were silent",
        "faults without a check; each wrong access an error with --check memory",
        (
            f"{HOSTILE}::test_wild_pointers_of_kernels_are_faults_with_a_line",
            f"{CHECKS}::test_wrong_accesses_are_errors_with_line_and_callers",
            f"{CHECKS}::test_an_overrun_into_another_argument_of_the_same_call_is_found",
            f"{CHECKS}::test_addresses_that_are_right_stray_nowhere",
            f"{CHECKS}::test_a_neighbours_stack_is_named",
        ),
    ),
    "A11": Row(
        "two Ninjas in a fresh folder damaged .ninja_deps",
        "the second is refused with a word",
        ("stages/test_build_lock.py::test_two_at_once_damage_nothing",),
    ),
    "A12": Row(
        "cutting the device's memory short killed the server",
        "sealed: EINVAL or EPERM",
        ("xrt_emulation/test_sealed_memory.py::test_the_device_cannot_be_cut_short_or_grown",),
    ),
    "A13": Row(
        "damaged files ended with a traceback",
        "a clear error, exit 2",
        (
            "fuzz/test_corpus.py::test_every_file_is_taken_or_refused",
            "packaging/test_damaged_graph.py::test_what_is_no_graph_is_refused",
            f"{HOSTILE}::test_globals_and_imports_of_other_types_are_reported",
            "attack/test_special_files.py::test_verbs_refuse_what_is_no_file_of_theirs",
            f"{PROGRAMS}::test_an_archive_that_means_harm_is_refused",
        ),
    ),
    "A14": Row(
        "endless files, escape sequences, foreign caches, leftovers, tampered tools",
        "each its right answer",
        (
            "test_files.py::test_a_device_without_end_ends_at_the_limit",
            "test_files.py::test_a_fifo_without_writer_does_not_wait_and_one_with_is_read",
            "test_files.py::test_what_a_terminal_would_obey_is_escaped",
            "emulator/test_engine_cache.py::test_a_folder_that_others_can_write_to_is_no_cache",
            "emulator/test_engine_cache.py::test_a_module_that_was_changed_is_made_again",
            "install/test_installed_files.py::test_what_was_changed_is_named",
            "install/test_installed_files.py::test_what_a_killed_installation_left_is_removed_by_the_next",
            "tools/test_python_packages.py::test_an_environment_that_was_killed_half_way_is_no_tool",
            "remote/test_worker_tools.py::test_a_tampered_tool_is_noticed",
            "attack/test_foreign_modules.py::test_cores_that_poll_each_others_memory_get_an_error_that_says_so",
            "attack/test_special_files.py::test_sources_that_a_program_names_are_plain_files",
            "porting/test_asked_program.py::test_what_make_has_started_ends_with_it",
        ),
    ),
}
