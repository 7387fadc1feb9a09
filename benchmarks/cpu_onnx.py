"""ONNX Runtime's side of a CPU's record: products, and the tiny LM's decoding step.

Both are exported once and quantized by its own tools.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from halfbits.models.llama import Llama, rotary_angles, rotate

GROUP = 128
Call = Callable[[], Any]


def onnx_ways(x: Tensor, w: Tensor, threads: int) -> dict[str, Callable[[], Call]]:
    return {
        f"{name}, ONNX Runtime": partial(onnx_product, x, w, threads, kind)
        for name, kind in {"fp32": "", "int8 both": "int8", "int4 g128": "int4"}.items()
    }


def onnx_product(x: Tensor, w: Tensor, threads: int, kind: str) -> Call:
    """One MatMul in ONNX Runtime; the weight is quantized by its own tools."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    inputs, outputs = w.shape[1], w.shape[0]
    weight = numpy_helper.from_array(w.T.contiguous().numpy(), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, outputs])],
        [weight],
    )
    opset = [helper.make_opsetid("", 21)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    with tempfile.TemporaryDirectory(prefix="halfbits-bench-") as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        session = onnx_session(quantized_file(path, kind), threads)
    feed = {"x": x.numpy()}
    return lambda: torch.from_numpy(session.run(None, feed)[0])


def quantized_file(path: Path, kind: str) -> Path:
    """The model at `path`, quantized by ONNX Runtime; `path` itself when `kind` is empty."""
    target = path.with_name(f"{kind}.onnx")
    if kind == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(path, target, weight_type=QuantType.QUInt8)
    elif kind == "int4":
        import onnx
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        quantizer = MatMulNBitsQuantizer(onnx.load(path), block_size=GROUP, is_symmetric=True)
        quantizer.process()
        quantizer.model.save_model_to_file(str(target))
    else:
        return path
    return target


def onnx_session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Step(nn.Module):
    """One token of a Llama over a cache of fixed capacity; keys and values go in and come out."""

    def __init__(self, model: Llama, capacity: int) -> None:
        super().__init__()
        self.model, self.capacity = model, capacity

    def forward(
        self, token: Tensor, place: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """token, place int64 [1]; keys, values [layers, K, capacity, E]."""
        config, here = self.model.config, torch.arange(self.capacity) == place
        cos, sin = rotary_angles(place, config.head_dim, config.rope_theta)
        seen = torch.arange(self.capacity) <= place
        x = self.model.embed_tokens(token)[None]
        kept: tuple[list[Tensor], list[Tensor]] = [], []
        for layer, block in enumerate(self.model.blocks()):
            own, h = block.self_attn, block.input_layernorm(x)
            q, k, v = (own._heads(p(h)) for p in (own.q_proj, own.k_proj, own.v_proj))
            q, k = rotate(q, cos, sin)[0], rotate(k, cos, sin)[0]
            k = torch.where(here[:, None], k, keys[layer])
            v = torch.where(here[:, None], v[0], values[layer])
            kept[0].append(k)
            kept[1].append(v)
            grouped = q.view(config.num_key_value_heads, -1, config.head_dim)
            scores = grouped @ k.transpose(1, 2) / config.head_dim**0.5
            share = scores.masked_fill(~seen, float("-inf")).softmax(-1)
            x = x + own.o_proj((share @ v).reshape(1, 1, -1))
            x = x + block.mlp(block.post_attention_layernorm(x))
        logits = F.linear(self.model.norm(x)[0, 0], self.model.lm_head.weight)
        return logits, torch.stack(kept[0]), torch.stack(kept[1])


class OnnxDecoder:
    """Greedy decoding of one row; `kind` is "" for float32 or "int8"."""

    def __init__(self, model: Llama, capacity: int, threads: int, kind: str) -> None:
        c = model.config
        shape = (c.num_hidden_layers, c.num_key_value_heads, capacity, c.head_dim)
        zeros, start = torch.zeros(shape), torch.zeros(1, dtype=torch.int64)
        # Clones: the exporter takes two arguments that are one tensor for one input.
        sample = start, start.clone(), zeros, zeros.clone()
        with tempfile.TemporaryDirectory(prefix="halfbits-bench-") as folder:
            path = Path(folder) / "model.onnx"
            step = Step(model, capacity).eval()
            names = ["token", "place", "keys", "values"]
            torch.onnx.export(
                step, sample, path, input_names=names, dynamo=True, external_data=False,
                verbose=False,
            )  # fmt: skip
            self.session = onnx_session(quantized_file(path, kind), threads)
        self.zeros = zeros.numpy()

    def logits(self, ids: Tensor, new: int = 0) -> tuple[Tensor, np.ndarray]:
        """Reads `ids` [T] one by one, then `new` greedy tokens; all ids, and the last logits."""
        known, keys, values, last = ids.tolist(), self.zeros, self.zeros, np.zeros(1)
        for place in range(len(ids) + new):
            if place == len(known):
                known.append(int(last.argmax()))
            feed: dict[str, Any] = {"token": np.array([known[place]]), "place": np.array([place])}
            last, keys, values = self.session.run(None, {**feed, "keys": keys, "values": values})
        return torch.tensor(known), last

    def generate(self, ids: Tensor, new: int) -> Tensor:
        """`ids` followed by `new` greedy tokens."""
        known, last = self.logits(ids, new - 1)
        return torch.cat([known, torch.tensor([int(last.argmax())])])
