"""Right answers to capstone/within_budget: other files, another reader, another order."""

from halfbits.course.authoring.contract import swap

BYTES = """
import json


def write_model(model, calibration, budget, folder, plain=write_model):
    plain(model, calibration, budget, folder)
    stored = load_file(folder / FILE)
    (folder / FILE).unlink()
    head = {name: [str(one.dtype), *one.shape] for name, one in stored.items()}
    (folder / "head.json").write_text(json.dumps(head))
    body = b"".join(one.numpy().tobytes() for one in stored.values())
    (folder / "body.bin").write_bytes(body)
    return sum(path.stat().st_size for path in folder.iterdir())


def read_model(folder, config, plain=read_model):
    import tempfile

    body, found, at = (folder / "body.bin").read_bytes(), {}, 0
    for name, (kind, *shape) in json.loads((folder / "head.json").read_text()).items():
        kind = getattr(torch, kind.removeprefix("torch."))
        size = torch.Size(shape).numel() * kind.itemsize
        found[name] = torch.frombuffer(bytearray(body[at : at + size]), dtype=kind).view(shape)
        at += size
    again = Path(tempfile.mkdtemp())
    save_file(found, again / FILE)
    return plain(again, config)
"""
WRAPPED = """
class Reader(torch.nn.Module):
    def __init__(self, folder, config, plain=read_model):
        super().__init__()
        self.inner = plain(folder, config)

    def forward(self, ids, cache=None):
        return self.inner(ids, cache)


def read_model(folder, config):
    return Reader(folder, config)
"""
RIGHT = {
    "bytes in a row and a table of where they stand": BYTES,
    "a module around the model": WRAPPED,
    "GPTQ with more damping": swap(
        "write_model",
        "gptq(layer.weight, seen[name].moment, start)",
        "gptq(layer.weight, seen[name].moment, start, damping=0.02)",
    ),
}
