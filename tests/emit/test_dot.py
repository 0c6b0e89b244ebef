from npuninja.emit.dot import dot

EDGES = [
    {"rule": "cc", "outputs": ["out/k.o"], "inputs": ['a "b".c'], "implicit": []},
    {"rule": "link", "outputs": ["out/k.wasm", "out/k.json"], "inputs": ["out/k.o"], "implicit": ["out/k.o"]},
    {"rule": "phony", "outputs": ["all"], "inputs": ["out/k.wasm"], "implicit": []},
    {"rule": "run", "outputs": ["run-k"], "inputs": ["out/k.wasm"], "implicit": []},
]


def test_one_box_for_each_stage_and_one_arrow_for_each_need():
    assert dot(EDGES).splitlines()[3:] == [
        '  n0 [label = "cc\\nk.o"];',
        '  n1 [label = "link\\nk.wasm"];',
        '  "a \\"b\\".c" -> n0;',
        '  "a \\"b\\".c" [shape = plaintext];',
        "  n0 -> n1;",
        "}",
    ]
