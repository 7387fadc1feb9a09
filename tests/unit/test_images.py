"""The image data and the classifier load as published, and a damaged file is named."""

import json
import shutil

import pytest
import torch

from halfbits.errors import CourseError
from halfbits.folders import find_root
from halfbits.models import images
from halfbits.models.images import CLASS_NAMES, load_fashion_mnist, load_image_mlp


@pytest.fixture
def copied_assets(tmp_path, monkeypatch):
    """A private copy of the packaged files that a test may damage."""
    for folder in ("fashion_mnist", "image_mlp"):
        shutil.copytree(images._FOLDER / folder, tmp_path / folder)
    monkeypatch.setattr(images, "_FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("split", "count"), [("train", 6_000), ("test", 10_000)])
def test_a_split_has_its_published_shapes_dtypes_and_balance(split, count):
    x, y = load_fashion_mnist(split)
    assert (x.shape, x.dtype, y.shape, y.dtype) == (
        (count, 784),
        torch.float32,
        (count,),
        torch.int64,
    )
    assert y.bincount().tolist() == [count // 10] * len(CLASS_NAMES)


def test_pixels_are_whole_gray_levels_between_zero_and_one():
    x, _ = load_fashion_mnist("train")
    levels = x * 255
    assert x.min() == 0 and x.max() == 1
    assert (levels - levels.round()).abs().max() < 255 * torch.finfo(torch.float32).eps


def test_the_images_lie_the_right_way_up():
    """Trousers have a gap between the legs at the bottom and none at the waist."""
    x, y = load_fashion_mnist("train")
    trouser = x[y == CLASS_NAMES.index("Trouser")].view(-1, 28, 28).mean(0)
    waist, feet = trouser[3], trouser[24]
    assert waist[13:15].mean() > 0.8 * waist.max()
    assert feet[13:15].mean() < 0.5 * feet.max()


def test_train_and_test_share_no_image():
    train, _ = load_fashion_mnist("train")
    test, _ = load_fashion_mnist("test")
    rows = {row.numpy().tobytes() for row in train}
    shared = sum(row.numpy().tobytes() in rows for row in test)
    assert shared == 0


def test_the_classifier_is_a_float32_perceptron_in_eval_mode():
    model = load_image_mlp()
    assert [tuple(p.shape) for p in model.parameters()] == [(256, 784), (256,), (10, 256), (10,)]
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not model.training


@torch.no_grad()
def test_the_classifier_reaches_its_recorded_test_accuracy():
    record = json.loads((find_root() / "book/data/image_mlp.json").read_text(encoding="utf-8"))
    x, y = load_fashion_mnist("test")
    accuracy = (load_image_mlp()(x).argmax(1) == y).double().mean()
    # Another CPU may flip a near tie: allow 5 of the 10,000 images.
    assert abs(accuracy - record["test_accuracy"]) <= 5e-4
    assert accuracy > 0.85


def test_two_loads_share_no_memory():
    first = load_image_mlp()
    first[0].weight.data.zero_()
    assert load_image_mlp()[0].weight.abs().max() > 0


def test_an_unknown_split_is_named_with_the_known_ones():
    with pytest.raises(CourseError, match=r"'validation'.*train.*test"):
        load_fashion_mnist("validation")


@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("fashion_mnist/test.npz", lambda: load_fashion_mnist("test")),
        ("image_mlp/model.safetensors", load_image_mlp),
    ],
)
def test_a_damaged_file_is_named_with_its_expected_hash(copied_assets, damage, name, load):
    path = copied_assets / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[:-1])
    else:
        path.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    expected = {entry[0]: entry[1] for entry in (*images._SPLITS.values(), images._MLP)}[name]
    with pytest.raises(CourseError) as caught:
        load()
    assert path.name in str(caught.value) and expected in str(caught.value)
