"""Wrong answers to amp/islands: each is one misconception."""

WIDEN = "tuple(x.float() if x.is_floating_point() else x for x in inputs)"
NARROW = "return output.to(dtype)"
MADE = "made = copy.deepcopy(model).to(dtype)"
ISLAND = "island = copy.deepcopy(model.get_submodule(name))"
PRE = "island.register_forward_pre_hook(widen)"
POST = "island.register_forward_hook(narrow)"
PUT = "made.set_submodule(name, island)"
OF_ISLAND = f"{PUT}\n        for p in island.parameters():\n            "
RETURN = "    return made"

EQUIVALENT = {}

WRONG = {
    "test_islands_keep_the_bits_of_the_source": [
        ("there and back", "lost its digits", ISLAND, "island = made.get_submodule(name).float()"),
        ("there and back with a copy", "lost its digits", ISLAND, f"{ISLAND}.to(dtype).float()"),
        ("no islands", "lost its digits", PUT, "pass"),
        (
            "the module's own tensors alone",
            "lost its digits",
            PUT,
            f"{PUT}\n        for child in island.children():\n            child.to(dtype)",
        ),
        (
            "parameters alone",
            "lost its digits",
            PUT,
            f"{PUT}\n        for b in island.buffers():\n            b.data = b.data.to(dtype)",
        ),
        ("a wrapper", "names", PUT, "made.set_submodule(name, nn.Sequential(island))"),
        ("float64", "float32", PUT, f"{PUT}\n        island.double()"),
    ],
    "test_rest_is_converted": [
        ("nothing is", "norm", MADE, "made = copy.deepcopy(model)"),
        (
            "names that begin alike",
            "not below",
            "    return made",
            "    for name in islands:\n        for other, layer in model.named_modules():\n"
            "            if other.startswith(name) and '.' not in other:\n"
            "                made.set_submodule(other, copy.deepcopy(layer))\n"
            "    return made",
        ),
        (
            "integers too",
            "other indices",
            MADE,
            f"{MADE}\n    for b in made.buffers():\n        b.data = b.data.to(dtype)",
        ),
        ("always bfloat16", "float16", MADE, "made = copy.deepcopy(model).bfloat16()"),
        (
            "parameters alone",
            "not below",
            MADE,
            "made = copy.deepcopy(model)\n    for p in made.parameters():\n"
            "        p.data = p.data.to(dtype)",
        ),
    ],
    "test_islands_compute_in_float32": [
        (
            "the first input alone",
            "expected",
            WIDEN,
            "(inputs[0].float() if inputs[0].is_floating_point() else inputs[0], *inputs[1:])",
        ),
        ("nothing is cast", "float16", PRE, "pass"),
        ("cast to the type of the rest", "expected", WIDEN, WIDEN.replace("float()", "to(dtype)")),
        (
            "the sum is cast alone",
            "float16 the square",
            PRE,
            "pass",
            PUT,
            f"{PUT}\n        island.to(dtype)",
        ),
    ],
    "test_what_leaves_an_island_has_the_type_of_the_rest": [
        ("stays float32", "refused", POST, "pass"),
        ("always float16", "dtype bfloat16", NARROW, "return output.half()"),
        ("ids are cast", "embedding", WIDEN, "tuple(x.float() for x in inputs)"),
        (
            "the model's output alone",
            "RuntimeError",
            POST,
            "pass",
            "    return made",
            "    made.register_forward_hook(narrow)\n    return made",
        ),
    ],
    "test_source_stays_as_it_is": [
        (
            "in place",
            "left as it was",
            MADE,
            "made = model.to(dtype)",
            ISLAND,
            "island = made.get_submodule(name).float()",
        ),
        ("all of the source in training", "training", MADE, f"{MADE}\n    model.train()"),
        ("the source's own island", "left as it was", ISLAND, "island = model.get_submodule(name)"),
        (
            "the island's memory",
            "the source's memory",
            PUT,
            f"{PUT}\n        for key, p in island.named_parameters():\n"
            "            p.data = model.get_parameter(f'{name}.{key}').data",
        ),
    ],
    "test_own_answers_with_its_own_numbers": [
        (
            "layers with float32 weights in a closure",
            "another output",
            RETURN,
            "    for name, layer in made.named_modules():\n"
            "        if type(layer) is nn.Linear and layer.weight.dtype == dtype:\n"
            "            whole = copy.deepcopy(model.get_submodule(name))\n"
            "            layer.forward = lambda x, whole=whole: whole(x.float()).to(dtype)\n"
            "    return made",
        ),
        (
            "a float32 copy of the whole model answers",
            "another output",
            RETURN,
            "    whole, inner = copy.deepcopy(model), made.forward\n"
            "    made.forward = lambda x: (inner(x), whole(x).to(dtype))[1]\n"
            "    return made",
        ),
    ],
    "test_own_keeps_no_copy_beside_its_numbers": [
        (
            "a copy in an attribute",
            "bytes",
            RETURN,
            '    made.__dict__["_source"] = [copy.deepcopy(model)]\n    return made',
        ),
        (
            "a copy in a closure",
            "bytes",
            RETURN,
            "    made.back = (lambda kept: lambda: kept)(copy.deepcopy(model))\n    return made",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            MADE,
            "made = make_islands.__dict__.setdefault(id(model), copy.deepcopy(model)).to(dtype)",
        ),
    ],
    "test_islands_keep_what_float16_cannot_hold": [
        (
            "clamped",
            "1000000.0",
            PUT,
            f"{OF_ISLAND}p.data.clamp_(-65504, 65504)",
        ),
        (
            "tiny numbers to zero",
            "9.31",
            PUT,
            f"{OF_ISLAND}p.data[p.data.abs() < 6e-8] = 0",
        ),
    ],
}
