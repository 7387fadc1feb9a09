"""Wrong answers to amp/autocast_trace: each is one misconception."""

LEAVES = "[(name, layer) for name, layer in model.named_modules() if not [*layer.children()]]"
ROW = "rows.append((name, inputs[0].dtype, kept, output.dtype))"
CAST = 'with torch.autocast("cpu", dtype=dtype):'
RUN = "            model(x)"
REMOVE = "            hook.remove()"
RETURN = "return rows"
EVERY = "model.named_modules(remove_duplicate=False)"
LOOP = """    for name, layer in leaves:
        weight = next(layer.parameters(), None)
        kept = None if weight is None else weight.dtype
        rows.append((name, torch.float32, kept, dtype if kept else torch.float32))
    return rows
"""

EQUIVALENT = {
    "rows.append((name, inputs[-1].dtype, kept, output.dtype))": "each layer gets one tensor",
}

WRONG = {
    "test_each_table_is_of_the_model_as_it_is": [
        (
            "remembers in the model",
            "both tables",
            RETURN,
            "return model.__dict__.setdefault('_rows', rows)",
        ),
        (
            "one list for all calls",
            "both tables",
            RETURN,
            "kept = autocast_trace.__dict__.setdefault('rows', [])\n"
            "    kept[:] = rows\n    return kept",
        ),
    ],
    "test_layers_stand_in_the_order_of_their_calls": [
        (
            "a row when a layer begins",
            "expected",
            "rows = []",
            "rows, begun = [], []",
            ROW,
            "begun.pop()[1:] = [inputs[0].dtype, kept, output.dtype]",
            REMOVE,
            "            hook.remove()\n    rows = [tuple(row) for row in rows]",
            "    try:",
            "    def before(name):\n"
            "        def begin(layer, inputs):\n"
            "            rows.append([name])\n            begun.append(rows[-1])\n\n"
            "        return begin\n\n"
            "    for name, layer in leaves:\n"
            "        hooks.append(layer.register_forward_pre_hook(before(name)))\n"
            "    try:",
        ),
        ("containers too", "containers are", LEAVES, "[*model.named_modules()]"),
        ("the model's children", "containers are", LEAVES, "[*model.named_children()]"),
        ("in the order of definition", "containers are", "    hooks = [", f"{LOOP}    hooks = ["),
        ("a layer once", "called twice", ROW, f"if name not in [row[0] for row in rows]: {ROW}"),
        ("the class", "containers are", ROW, ROW.replace("name,", "type(layer).__name__,")),
        ("the last part", "containers are", ROW, ROW.replace("name,", 'name.split(".")[-1],')),
        (
            "layers with weights alone",
            "containers are",
            LEAVES,
            LEAVES[:-1] + " and [*layer.parameters()]]",
        ),
        ("backwards", "containers are", RETURN, "return rows[::-1]"),
        ("matrices alone", "raised", RUN, f"            assert x.dim() == 2\n{RUN}"),
        ("lists", "tuples", ROW, "rows.append([name, inputs[0].dtype, kept, output.dtype])"),
    ],
    "test_types_are_those_that_autocast_chose": [
        (
            "the attribute named weight",
            "expected",
            "next(layer.parameters(), None)",
            "getattr(layer, 'weight', None)",
        ),
        ("without autocast", "stay float32", CAST, "with torch.no_grad():"),
        (
            "always bfloat16",
            "stay float32",
            CAST,
            'with torch.autocast("cpu", dtype=torch.bfloat16):',
        ),
        ("the output is the type", "stay float32", ROW, ROW.replace("output.dtype", "dtype")),
        ("the input is the output", "stay float32", ROW, ROW.replace("inputs[0]", "output")),
        ("weights as the output", "stay float32", ROW, ROW.replace("kept, ", "output.dtype, ")),
        ("texts", "stay float32", ROW, ROW.replace("output.dtype", "str(output.dtype)")),
    ],
    "test_model_sees_autocast_and_its_own_input": [
        ("x is cast", "another table", RUN, "            model(x.to(dtype))"),
        ("runs twice, the second bare", "another table", RUN, f"{RUN}\n        model(x)"),
        (
            "a converted model",
            "left as it was",
            CAST,
            "with torch.no_grad():\n            model.to(dtype)",
            RUN,
            "            model(x.to(dtype))\n            model.float()",
        ),
    ],
    "test_trace_leaves_each_part_of_the_model_alone": [
        ("hooks stay", "hook", REMOVE, "            pass"),
        ("all but the first stay", "hook", REMOVE, f"{REMOVE}\n            break"),
        ("eval mode", "training", RUN, "            model.eval()(x)"),
        (
            "one flag for all",
            "training",
            RUN,
            "            was = model.training\n            model.eval()(x)\n"
            "            model.train(was)",
        ),
        ("a converted model", "left as it was", RUN, f"{RUN}\n            model.to(dtype)"),
    ],
    "test_trace_leaves_no_trace_of_an_error": [
        (
            "no finally",
            "hook",
            "    try:",
            "    if True:",
            "    finally:",
            "    if True:",
        ),
        (
            "errors alone remove the hooks",
            "hook",
            "    finally:",
            "    except KeyboardInterrupt:\n        raise\n    except Exception:\n"
            "        for hook in hooks:\n            hook.remove()\n        raise\n    else:",
        ),
        (
            "the exception is swallowed",
            "LookupError",
            "    finally:",
            "    except LookupError:\n        pass\n    finally:",
        ),
    ],
    "test_shared_layer_has_its_first_name": [
        (
            "its last name",
            "named_modules",
            LEAVES,
            "[*{m: (n, m) for n, m in EVERY if not [*m.children()]}.values()]".replace(
                "EVERY", EVERY
            ),
        ),
        (
            "both names each time",
            "named_modules",
            LEAVES,
            f"[(n, m) for n, m in {EVERY} if not [*m.children()]]",
        ),
    ],
}
