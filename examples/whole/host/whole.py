"""The right answers of every sequence."""


def inputs(rng, arguments):
    return [rng.integers(-20000, 20000, a.shape, a.dtype) for a in arguments if a.is_input]


def reference(inputs, kernel):
    if kernel == "main":
        return [2 * inputs[0], 2 * inputs[0] - 7]
    return [2 * inputs[0] if kernel == "twice" else inputs[0] - 7]
