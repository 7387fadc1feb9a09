"""Wrong answers to kv_cache/cache_bytes: each is one misconception."""

SHARED = '2 * layer["kv_heads"] * layer["head_dim"]'
LATENT = 'layer["rank"] + layer["rope_dim"]'
WINDOW = 'min(length, layer["window"])'
SEEN = f'{WINDOW} if layer["kind"] == "window" else length'
ADDED = "elements += seen * elements_per_token(layer)"
RESULT = "elements * bits // 8"

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers layers by id",
            "second call",
            f"return {LATENT}",
            f"return elements_per_token.__dict__.setdefault(id(layer), {LATENT})",
        ),
    ],
    "test_cache_again_reads_its_arguments_at_every_call": [
        (
            "remembers lists by id",
            "second call",
            f"return {RESULT}",
            f"return cache_bytes.__dict__.setdefault(id(layers), {RESULT})",
        ),
    ],
    "test_shared_heads_and_latents_are_kept_once": [
        ("a latent for keys and one for values", "neither is stored", LATENT, f"2 * ({LATENT})"),
        ("a rotated key for each head", "neither", LATENT, LATENT + ' * layer["heads"]'),
        ("everything for each head", "neither", LATENT, f'layer["heads"] * ({LATENT})'),
        ("the rotated key forgotten", "neither", LATENT, 'layer["rank"]'),
        ("all heads", "what is kept", SHARED, SHARED.replace("kv_heads", "heads")),
        ("keys alone", "what is kept", SHARED, SHARED.removeprefix("2 * ")),
        ("bytes", "what is kept", SHARED, f"2 * {SHARED}"),
        (
            "the queries as well",
            "what is kept",
            SHARED,
            '(layer["heads"] + 2 * layer["kv_heads"]) * layer["head_dim"]',
        ),
    ],
    "test_unknown_kind_is_refused": [
        (
            "unknown is nothing",
            "nothing raised",
            "raise ValueError(f\"no such kind of layer: {layer['kind']!r}\")",
            "return 0",
        ),
        (
            "unknown is latent",
            "KeyError",
            'if layer["kind"] == "latent":',
            "if True:",
        ),
    ],
    "test_all_layers_and_requests_add_up": [
        (
            "whole bytes for each token",
            "4 bits",
            ADDED,
            "elements += seen * (elements_per_token(layer) * bits // 8)",
            RESULT,
            "elements",
        ),
        ("a float", "type", RESULT, "elements * bits / 8"),
        ("a byte at least", "share a byte", RESULT, "elements * max(1, bits // 8)"),
        ("always 16 bits", "share a byte", RESULT, "elements * 2"),
        ("whole bytes first", "share a byte", RESULT, "elements * (bits // 8)"),
        (
            "all as long as the longest",
            "sum",
            SEEN,
            "max(lengths)",
        ),
        (
            "all layers like the first",
            "sum",
            "elements_per_token(layer)",
            "elements_per_token(layers[0])",
        ),
        ("elements", "sum", RESULT, "elements"),
        ("bits", "sum", RESULT, "elements * bits"),
        ("one layer", "sum", RESULT, f"{RESULT} // len(layers)"),
        ("a mean over the requests", "sum", RESULT, f"{RESULT} // len(lengths)"),
    ],
    "test_each_request_has_its_own_window": [
        ("no window", "a long one forgets", SEEN, "length"),
        (
            "one window for the batch",
            "others do not gain",
            SEEN,
            SEEN.replace(
                'min(length, layer["window"])', 'min(length, layer["window"]/len(lengths))'
            ),
        ),
        (
            "always full",
            "stay below",
            SEEN,
            SEEN.replace(WINDOW, 'layer["window"]'),
        ),
        ("the larger one", "stay below", SEEN, SEEN.replace("min", "max")),
        (
            "every layer forgets",
            "stay below",
            SEEN,
            'min(length, *(one.get("window", length) for one in layers))',
        ),
    ],
    "test_nobody_takes_nothing": [
        ("at least one token", "expected", SEEN, f"max(1, {SEEN})"),
    ],
}
