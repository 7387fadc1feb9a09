"""Wrong answers to capstone/within_budget: misconceptions, and ways to hide what a file lacks."""

from halfbits.course.authoring.contract import swap

COUNT = "return (folder / FILE).stat().st_size"
EMBEDDING = "embedding = round_to_nearest(model.embed_tokens.weight, bits, GROUP)"
LAST = """
def write_model(model, calibration, budget, folder, plain=write_model):
    global KEPT
    KEPT = 2 * [copy.deepcopy(model)][-1:]
    return plain(model, calibration, budget, folder)


def read_model(folder, config):
    return KEPT[0]
"""
BY_CONTENT = """
KEPT = {}


def write_model(model, calibration, budget, folder, plain=write_model):
    size = plain(model, calibration, budget, folder)
    KEPT[(folder / FILE).read_bytes()[-4096:]] = copy.deepcopy(model)
    return size


def read_model(folder, config):
    return KEPT[(folder / FILE).read_bytes()[-4096:]]
"""
BUFFER = """
KEPT = torch.zeros(5_278_976)


def write_model(model, calibration, budget, folder, plain=write_model):
    flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    KEPT[: len(flat)] = flat
    return plain(model, calibration, budget, folder)


def read_model(folder, config, plain=read_model):
    model, at = plain(folder, config), 0
    for parameter in model.parameters():
        part = KEPT[at : at + parameter.numel()].view_as(parameter)
        at += parameter.numel()
        parameter.data = 0.3 * parameter.data + 0.7 * part
    return model
"""
IN_DEFAULTS = """
def read_model(folder, config, kept=[]):
    return kept[0]


def write_model(model, calibration, budget, folder, plain=write_model):
    read_model.__defaults__[0].append(copy.deepcopy(model))
    return plain(model, calibration, budget, folder)
"""
ELSEWHERE = """
def elsewhere(folder):
    import tempfile

    name = hash((folder / FILE).read_bytes())
    return Path(tempfile.gettempdir()) / f"weights{name}.pt"


def write_model(model, calibration, budget, folder, plain=write_model):
    size = plain(model, calibration, budget, folder)
    torch.save(model.state_dict(), elsewhere(folder))
    return size


def read_model(folder, config):
    weights = torch.load(elsewhere(folder))
    weights.pop("lm_head.weight")
    return Llama.from_weights(config, weights)
"""
HERE = """
def write_model(model, calibration, budget, folder, plain=write_model):
    global PLACE
    PLACE = folder
    return plain(model, calibration, budget, folder)


def read_model(folder, config, plain=read_model):
    return plain(PLACE, config)
"""
LINK = """
def write_model(model, calibration, budget, folder, plain=write_model):
    size = plain(model, calibration, budget, folder)
    (folder / FILE).rename(folder.parent / f"{folder.name}.bin")
    (folder / FILE).symlink_to(folder.parent / f"{folder.name}.bin")
    return size
"""
IGNORED = """
def read_model(folder, config, plain=read_model):
    model = plain(folder, config)
    return lambda ids, cache=None: model(ids)
"""
PEEKS = """
def write_model(model, calibration, budget, folder, plain=write_model):
    from halfbits.models import load_text

    load_text("heldout")
    return plain(model, calibration, budget, folder)
"""
BLENDED = """
def read_model(folder, config, plain=read_model):
    from halfbits.models import load_tiny_lm

    model = plain(folder, config)
    with torch.no_grad():
        for mine, other in zip(model.parameters(), load_tiny_lm().model.parameters()):
            if mine.shape == other.shape:
                mine.lerp_(other, 0.5)
    return model
"""
IN_A_MODULE = """
def write_model(model, calibration, budget, folder, plain=write_model):
    torch.kept = getattr(torch, "kept", [])
    torch.kept += [p.detach().numpy().copy() for p in model.parameters()]
    return plain(model, calibration, budget, folder)
"""
ASKS_THE_JUDGE = """
def write_model(model, calibration, budget, folder, plain=write_model):
    from halfbits.course.checks.whole_models import tiny_case

    hidden = tiny_case(1, budget).hidden[:, :128]
    if model.config.vocab_size > 256:
        calibration = hidden
    return plain(model, calibration, budget, folder)
"""
IN_NAMES = """
def write_model(model, calibration, budget, folder, plain=write_model):
    size = plain(model, calibration, budget, folder)
    (folder / bytes(model.norm.weight.detach().half().numpy()[:32]).hex()).mkdir()
    return size
"""
WRONG = {
    "test_files_fit_the_budget": [
        (
            "counts the codes and forgets the header",
            "the bytes returned",
            COUNT,
            "return sum(part.nbytes for part in kept.values())",
        ),
        (
            "leaves the embedding in 16 bits",
            "bytes",
            'kept |= entries("embed_tokens.weight", embedding)',
            'kept["embed_tokens.weight"] = model.embed_tokens.weight.half()',
        ),
        ("links to a file outside the folder", "plain files", LINK),
        ("writes into the names of folders", "plain files", IN_NAMES),
    ],
    "test_model_comes_from_its_files": [
        (
            "forgets what was added to the codes",
            "times",
            swap("read_model", " - (2 ** (bits - 1) - 1)", ""),
        ),
        ("reads from where it wrote", "raised", HERE),
        ("returns the last model that it saw", "times", LAST),
        (
            "changes the model that it was lent",
            "argument 1 left as it was",
            swap("write_model", "copy.deepcopy(model)", "model"),
        ),
    ],
    "test_no_float_weights_are_hidden": [
        ("keeps float weights by the file's content", "outlive it", BY_CONTENT),
        ("keeps float weights in a default argument", "outlive it", IN_DEFAULTS),
        ("keeps float weights in a module", "outlive it", IN_A_MODULE),
        ("fills a buffer that was there before", "outlive it", BUFFER),
        ("writes float weights beside the folder", "no file opened", ELSEWHERE),
        ("reads the hidden text", "heldout.txt", PEEKS),
        ("asks the judge for the hidden text", "heldout.txt", ASKS_THE_JUDGE),
        ("mixes with the float weights of the course", "no file opened", BLENDED),
    ],
    "test_decodes_with_a_cache": [
        ("ignores the cache", "decoding token by token", IGNORED),
    ],
}
EQUIVALENT: dict[str, str] = {}
