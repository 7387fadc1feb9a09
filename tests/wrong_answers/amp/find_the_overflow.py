"""Wrong answers to amp/find_the_overflow: each is one misconception."""

FINE = "return bool(torch.isfinite(tensor).all())"
GUILTY = "if all(map(is_fine, inputs)) and not is_fine(output):"
RETURN = "return guilty[0] if guilty else None"
EVERY = "        for name, module in model.named_modules():\n"
RUN = "            model(x)"
REMOVE = "            handle.remove()"
HALF = "output.half().isinf().any()"
FOUND = f"if {HALF} and name not in found:"
FOUND_ALL = "return found"
LEAF = "if not [*module.children()]:"
IDS = GUILTY.replace(" and not", " and inputs[0].is_floating_point() and not")
ONE_FLAG = (
    RUN,
    f"            was = model.training\n{RUN[:-8]}model.eval()(x)\n            model.train(was)",
)
ERRORS_ALONE = (
    "    finally:",
    "    except KeyboardInterrupt:\n        raise\n    except Exception:\n"
    "        for handle in handles:\n            handle.remove()\n        raise\n    else:",
)

EQUIVALENT = {"with torch.enable_grad():": "a graph changes no number"}

WRONG = {
    "test_guilty_is_who_was_given_good_numbers": [
        (
            "the last bad one",
            "passes on",
            RETURN,
            RETURN.replace("[0]", "[-1]"),
            GUILTY,
            "if not is_fine(output):",
        ),
        ("NaN alone", "passes on", FINE, "return not torch.isnan(tensor).any()"),
        ("infinity alone", "passes on", FINE, "return not torch.isinf(tensor).any()"),
        ("any finite number will do", "passes on", FINE, FINE.replace(".all()", ".any()")),
        ("who is given a bad number", "passes on", GUILTY, "if not all(map(is_fine, inputs)):"),
        ("the class", "passes on", "guilty.append(name)", "guilty.append(type(module).__name__)"),
        ("the model itself", "passes on", RETURN, 'return "" if guilty else None'),
    ],
    "test_inner_module_is_blamed_before_the_block_around_it": [
        ("the block", "ends first", RETURN, RETURN.replace("[0]", "[-1]")),
        (
            "the last part of the name",
            "path",
            RETURN,
            'return guilty[0].split(".")[-1] if guilty else None',
        ),
        ("children alone", "ends first", EVERY, EVERY.replace("named_modules", "named_children")),
        (
            "the shortest name",
            "ends first",
            RETURN,
            "return min(guilty, key=len) if guilty else None",
        ),
    ],
    "test_block_that_computes_itself_is_blamed": [
        ("inputs are not looked at", "given infinity", GUILTY, "if not is_fine(output):"),
        (
            "layers without children alone",
            "given infinity",
            EVERY,
            EVERY + "            if [*module.children()]:\n                continue\n",
        ),
        (
            "the model is left out",
            "given infinity",
            EVERY,
            EVERY + "            if not name:\n                continue\n",
        ),
    ],
    "test_healthy_model_has_none": [
        ("an empty name", "None", RETURN, 'return guilty[0] if guilty else ""'),
        ("above 65000", "None", FINE, "return bool((tensor.abs() < 65000).all())"),
        ("a list", "None", RETURN, "return guilty"),
    ],
    "test_layers_that_would_overflow_are_listed_in_order": [
        ("containers too", "float16", LEAF, "if True:"),
        ("the first alone", "the first alone", FOUND_ALL, "return found[:1]"),
        ("by name", "the first alone", FOUND_ALL, "return sorted(found, reverse=True)"),
        ("positive numbers alone", "the first alone", HALF, "(output > 65519).any()"),
        ("what goes in", "the first alone", HALF, "inputs[0].half().isinf().any()"),
        ("all numbers", "the first alone", HALF, "(output.abs() > 3e5).all()"),
        ("float32's infinity", "the first alone", HALF, "output.isinf().any()"),
    ],
    "test_limit_is_where_float16_rounds_to_infinity": [
        ("above the largest number", "half a spacing", HALF, "(output.abs() > 65504).any()"),
        ("from the next power of two", "half a spacing", HALF, "(output.abs() >= 65536).any()"),
        ("None for nothing", "[]", FOUND_ALL, "return found or None"),
        ("of bfloat16", "half a spacing", HALF, HALF.replace("half", "bfloat16")),
    ],
    "test_beyond_leaves_each_part_of_the_model_alone": [
        ("hooks stay", "hook", REMOVE, "            pass"),
        ("eval mode", "training", RUN, "            model.eval()(x)"),
        ("one flag for all", "training", *ONE_FLAG),
    ],
    "test_birth_leaves_each_part_of_the_model_alone": [
        ("one flag for all", "training", *ONE_FLAG),
    ],
    "test_birth_leaves_no_trace_of_an_error": [
        ("no finally", "hook", "    finally:", "    if True:", "    try:", "    if True:"),
        ("errors alone remove the hooks", "hook", *ERRORS_ALONE),
    ],
    "test_beyond_leaves_no_trace_of_an_error": [
        ("errors alone remove the hooks", "hook", *ERRORS_ALONE),
    ],
    "test_ids_are_finite_inputs": [
        ("ids are no numbers", "expected", GUILTY, IDS),
    ],
    "test_layer_called_again_is_listed_once": [
        ("each call", "once", FOUND, f"if {HALF}:"),
        (
            "the first call alone",
            "more than once",
            FOUND,
            f"module.__dict__['n'] = module.__dict__.get('n', 0) + 1\n"
            f"            if {HALF} and module.n == 1:",
        ),
    ],
}
