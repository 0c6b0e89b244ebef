"""Every shipped design, run by a plain pyxrt program on the emulated NPU, gives what its reference says."""

import pytest
from design_chain import ROOT, Chain

from npuninja.device.compare import compare, poison
from npuninja.device.manifest import read_manifest
from npuninja.device.reference import Reference

DESIGNS = sorted(path.stem for path in (ROOT / "mlir").glob("*.mlir"))


@pytest.mark.parametrize("name", DESIGNS)
def test_design_gives_what_its_reference_says(wasm_build, emulated, tmp_path, name):
    manifest = read_manifest(Chain(wasm_build, name).run())
    reference = Reference(manifest.reference)
    inputs = reference.inputs(manifest.arguments, 1)
    remaining = iter(inputs)
    for number, argument in enumerate(manifest.arguments):
        data = next(remaining).tobytes() if argument.is_input else poison(argument.nbytes)
        (tmp_path / str(number)).write_bytes(data)
    emulated.good("run_design.py", manifest.path, str(tmp_path))
    got = [a.array((tmp_path / str(n)).read_bytes()) for n, a in enumerate(manifest.arguments) if a.is_output]
    outputs = [a for a in manifest.arguments if a.is_output]
    for argument, result, right in zip(outputs, got, reference.results(manifest.arguments, inputs)):
        comparison = compare(argument, result, right, poisoned=not argument.is_input)
        assert comparison.good, comparison.render()
