"""The cases that checks draw differ as their names say."""

import pytest
import torch

from halfbits.course.checks import cases, doubles, leaves


def test_one_argument_at_a_time_is_a_view_of_the_same_numbers() -> None:
    x, gain = cases.normal(3, 4, 5), cases.normal(4, 5)
    given = cases.one_a_view(x, 0.5, gain)
    assert list(given) == ["argument 1 a strided view", "argument 3 a strided view"]
    for arguments, at in zip(given.values(), (0, 2), strict=True):
        assert [isinstance(one, float) or one.is_contiguous() for one in arguments].count(
            False
        ) == 1
        assert not arguments[at].is_contiguous()
        assert torch.equal(arguments[at], (x, 0.5, gain)[at])
        in_order = arguments[at].as_strided(arguments[at].shape, (x, 0.5, gain)[at].stride())
        assert not torch.equal(in_order, arguments[at])


def test_order_is_that_of_its_seed() -> None:
    assert cases.shuffled(3, 50).tolist() == cases.shuffled(3, 50).tolist()
    assert cases.shuffled(3, 50).tolist() != cases.shuffled(4, 50).tolist()
    assert sorted(cases.shuffled(3, 50).tolist()) == list(range(50))


def test_function_fails_at_its_second_call_and_not_before() -> None:
    halve = leaves.failing_later(lambda x: x / 2, KeyboardInterrupt)
    assert halve(4) == 2
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            halve(4)


def test_adapter_runs_a_layer_that_is_no_child_of_it() -> None:
    model = doubles.adapted()
    assert [name for name, _ in model.named_modules()] == ["", "0", "1"]
    x = cases.normal(3, 2, 8)
    assert torch.equal(model(x), model[0](model[0](x)))
