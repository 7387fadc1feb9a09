"""The cases that checks draw differ as their names say."""

import torch

from halfbits.course.checks import cases


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
