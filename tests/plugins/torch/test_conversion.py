"""Arrays as tensors over the same memory wherever torch can have it, and back."""

from typing import Any

import numpy as np
import pytest

from tests.plugins.torch.judging import conversion, drawn, torch, trees

array_of, tensor_of = conversion.array_of, conversion.tensor_of


ARRAY = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("array", "strides"),
    [
        pytest.param(ARRAY, (4, 1), id="contiguous"),
        pytest.param(ARRAY.T, (1, 4), id="transposed"),
        pytest.param(ARRAY[::2, 1::2], (8, 2), id="with gaps"),
        pytest.param(ARRAY.astype(np.complex64), (4, 1), id="complex"),
        pytest.param(np.array(2.0), (), id="0-d"),
    ],
)
def test_a_layout_that_torch_has_shares_memory(array: Any, strides: Any) -> None:
    tensor = tensor_of(array)
    assert tensor.stride() == strides
    assert np.shares_memory(array, tensor.numpy())
    assert np.array_equal(tensor.numpy(), array)


def read_only(array: Any) -> Any:
    copy = array.copy(order="K")
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize(
    ("array", "strides"),
    [
        pytest.param(ARRAY[::-1, ::-1], (4, 1), id="negative strides"),
        pytest.param(ARRAY.astype(">f8"), (4, 1), id="other byte order"),
        pytest.param(read_only(ARRAY.T), (1, 4), id="read-only"),
        pytest.param(np.broadcast_to(ARRAY[:1], (5, 4)), (0, 1), id="broadcast"),
        pytest.param(np.broadcast_to(np.float64(3.0), (2, 3)), (0, 0), id="broadcast scalar"),
        pytest.param(np.float64(2.0), (), id="a numpy scalar"),
    ],
)
def test_a_layout_that_torch_has_not_is_copied(array: Any, strides: Any) -> None:
    tensor = tensor_of(array)
    assert tensor.stride() == strides
    assert np.array_equal(tensor.numpy(), array)
    if isinstance(array, np.ndarray):
        assert not np.shares_memory(array, tensor.numpy())


def test_tensors_become_arrays_over_their_memory() -> None:
    tensor = drawn(2, 3).requires_grad_()
    assert np.shares_memory(array_of(tensor), tensor.detach().numpy())
    assert array_of(tensor.bfloat16()).dtype == np.float32
    z = drawn(2, dtype=torch.complex128) * 1j
    assert np.array_equal(array_of(z.conj()), np.conj(z.numpy()))
    assert np.array_equal(array_of(z.conj().imag), -z.numpy().imag)
    assert np.array_equal(array_of(tensor.to_sparse()), tensor.detach().numpy())


def test_trees_are_taken_apart_and_put_together() -> None:
    tree = trees.tree_of(["x", "s[1]", "s[0]", "o.k"])
    leaves = dict(zip(["x", "s[1]", "s[0]", "o.k"], range(4), strict=True))
    assert {name: trees.filled(part, leaves) for name, part in tree.items()} == {"x": 0, "s": [2, 1], "o": {"k": 3}}
    assert dict(trees.flattened("x", {"a": [1], 2: (3,)})) == {"x.a[0]": 1, "x[2][0]": 3}
    assert trees.mapped("x", torch.Size([1, 2]), lambda path, value: path) == ("x[0]", "x[1]")
