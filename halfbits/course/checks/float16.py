"""What a conversion to float16 must do besides what every conversion to 16 bits does."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import torch
from torch import nn

from halfbits.course.checks import cases, conversions, doubles, expect, hardened, spies
from halfbits.course.checks.cases import each
from halfbits.course.checks.conversions import tensor_of


class Conversion(conversions.Conversion):
    """A function that takes a float32 model and returns a copy in float16, its norms excepted."""

    def test_halves_the_checkpoint(self, answer: Any) -> None:
        """A saved checkpoint of the new model takes half of the source's bytes.

        A file of the old size means that float32 is still stored.
        """
        source = nn.Sequential(nn.Linear(256, 256), nn.LayerNorm(256), nn.Linear(256, 128))
        sizes = []
        for model in (source, self.of(answer, source)):
            file = io.BytesIO()
            torch.save(model.state_dict(), file)
            sizes.append(file.tell())
        # The norm's 2 KiB stay and the file's own entries take a few KiB, of 390 KiB.
        expect.within(sizes[1] / sizes[0], 0.50, 0.54, of="bytes of the new file / the old one")

    def test_takes_other_floats_along_and_leaves_integers(self, answer: Any) -> None:
        """Other floating parameters and buffers become float16; integers and booleans stay.

        One float32 operand turns a sum into float32; an index of 300000 does not survive float16.
        """
        source = doubles.Block()
        model16 = self.of(answer, source)
        for name in ("position", "temperature", "gain", "bias_mask"):
            want = tensor_of(source, name).detach().half()
            expect.same(tensor_of(model16, name), want, of=name)
        for name in ("order", "keep"):
            expect.same(tensor_of(model16, name), tensor_of(source, name), of=name)

    def test_gives_norms_float32_and_hands_float16_on(self, answer: Any) -> None:
        """A norm layer computes on float32 inputs and returns float16.

        CUDA's LayerNorm refuses a float16 input beside float32 parameters.
        """
        for norm, shape in each(spies.listening_norms(8)):
            for model in each({"in a model": nn.Sequential(norm), "as the whole model": norm}):
                model16 = self.of(answer, model)
                got = conversions.run(model16, torch.ones(shape).half(), self.seam)
                heard = [vars(part)["heard"] for part in model16.modules() if "heard" in vars(part)]
                expect.equal(heard, [[torch.float32]], of="what the norm received")
                expect.dtype(got, torch.float16, of="the output", why=self.seam)

    @hardened
    def test_refuses_weights_beyond_float16(self, answer: Any) -> None:
        """A finite number that float16 turns into inf raises ValueError with its tensor's name.

        An inf in a tensor turns up later as NaN, far from its cause; 65519 still rounds to 65504.
        """
        too_large = torch.tensor(65520.0)  # halfway from 65504 to 65536: the tie goes to inf
        below = torch.nextafter(too_large, torch.tensor(0.0))
        root, deep = nn.Linear(4, 2), nn.Sequential(doubles.Block(), nn.Linear(4, 2))
        for name, model in (("1.weight", deep), ("0.bias_mask", deep), ("weight", root)):
            tensor = tensor_of(model, name)
            for value in each(cases.named(too_large, -too_large, 1e5, -3e38)):
                tensor.data.view(-1)[1] = value
                with expect.untouched(model):
                    expect.raises(ValueError, partial(self.of, answer, model), name)
            for value in each(cases.named(below, -below, 65519.0)):
                tensor.data.view(-1)[1] = value
                expect.same(tensor_of(self.of(answer, model), name), tensor.half(), of=name)
