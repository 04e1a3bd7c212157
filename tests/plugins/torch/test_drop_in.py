"""The drop-in replacements for torch.autograd.gradcheck and gradgradcheck."""

from importlib import import_module
from inspect import signature
from typing import Any

import pytest

from tests.plugins.torch.judging import Function, drawn, drop_in, torch

gradcheck, gradgradcheck = drop_in.gradcheck, drop_in.gradgradcheck
GradcheckError: Any = import_module("torch.autograd.gradcheck").GradcheckError


class Cube(Function):
    factor = 3.0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 3 * ctx.saved_tensors[0] ** 2 * g


def of_cube(**methods: Any) -> Any:
    return type("Cube", (Cube,), {name: staticmethod(method) for name, method in methods.items()})


def given(*shape: int) -> Any:
    return drawn(*shape).requires_grad_()


@pytest.mark.parametrize("ours", [gradcheck, gradgradcheck])
def test_the_signature_is_that_of_torch(ours: Any) -> None:
    theirs = getattr(torch.autograd, ours.__name__)
    expected = [(p.name, p.kind, p.default) for p in signature(theirs).parameters.values()]
    assert [(p.name, p.kind, p.default) for p in signature(ours).parameters.values()] == expected


def test_what_is_right_passes() -> None:
    assert gradcheck(torch.matmul, (given(2, 3), given(3, 2)))
    assert gradcheck(Cube.apply, given(3))
    assert gradcheck(lambda x, k: x**k, [given(3).abs(), 2])
    assert gradcheck(torch.nn.Linear(3, 2).double(), given(2, 3))


def test_what_is_wrong_raises_with_the_report() -> None:
    wrong = of_cube(backward=lambda ctx, g: 2 * Cube.backward(ctx, g))
    with pytest.raises(GradcheckError, match="constant factor"):
        gradcheck(wrong.apply, given(3))
    assert not gradcheck(wrong.apply, given(3), raise_exception=False)


def test_what_torch_mends_is_seen_behind_apply() -> None:
    wrong = of_cube(backward=lambda ctx, g: Cube.backward(ctx, g)[None])
    assert torch.autograd.gradcheck(wrong.apply, given(3))
    with pytest.raises(GradcheckError, match=r"has shape \(1, 3\); expected an array of shape \(3,\)"):
        gradcheck(wrong.apply, given(3))


def test_only_what_requires_a_gradient_is_verified() -> None:
    def loss(x: Any, target: Any) -> Any:
        return (x - target.detach()).square().sum()

    assert gradcheck(loss, (given(3), drawn(3)))
    assert not gradcheck(loss, (given(3), given(3) * 2), raise_exception=False)
    with pytest.raises(ValueError, match=r"at least one input tensor that requires a gradient; none does: x\.requires"):
        gradcheck(loss, (drawn(3), drawn(3)))


def test_inputs_are_verified_in_their_own_precision() -> None:
    seen: set[Any] = set()

    def function(x: Any) -> Any:
        seen.add(x.dtype)
        return x.sin()

    assert gradcheck(function, drawn(3, dtype=torch.float32).requires_grad_())
    assert seen == {torch.float32}


def test_the_threshold_is_rtol_as_far_as_there_is_one() -> None:
    wrong = of_cube(backward=lambda ctx, g: (1 + 3e-5) * Cube.backward(ctx, g))
    assert gradcheck(wrong.apply, given(3))
    assert not gradcheck(wrong.apply, given(3), rtol=1e-5, raise_exception=False)
    assert gradcheck(Cube.apply, given(3), rtol=0.0)


def test_forward_mode_is_verified_on_request() -> None:
    right = of_cube(jvp=lambda ctx, t: 3 * ctx.saved_tensors[0] ** 2 * t)
    wrong = of_cube(jvp=lambda ctx, t: 2 * ctx.saved_tensors[0] ** 2 * t)
    assert gradcheck(right.apply, given(3), check_forward_ad=True)
    assert gradcheck(wrong.apply, given(3))
    assert not gradcheck(wrong.apply, given(3), check_forward_ad=True, raise_exception=False)
    both_wrong = of_cube(
        backward=lambda ctx, g: 2 * ctx.saved_tensors[0] ** 2 * g,
        jvp=lambda ctx, t: 3 * ctx.saved_tensors[0] ** 2 * t,
    )
    assert not gradcheck(
        both_wrong.apply, given(3), check_forward_ad=True, check_backward_ad=False, raise_exception=False
    )  # they are not each other's transpose


def test_batched_gradients_are_compared_on_request() -> None:
    assert gradcheck(
        torch.sin, given(3), check_batched_grad=True, check_forward_ad=True, check_batched_forward_grad=True
    )
    assert gradcheck(lambda x: torch.nn.functional.dropout(x), given(8), check_batched_grad=True)
    of_numpy = of_cube(
        backward=lambda ctx, g: torch.from_numpy(3 * ctx.saved_tensors[0].detach().numpy() ** 2 * g.numpy())
    )
    assert gradcheck(of_numpy.apply, given(3))
    with pytest.raises(GradcheckError, match="vmap over backward raised RuntimeError"):
        gradcheck(of_numpy.apply, given(3), check_batched_grad=True)

    def noticing(ctx: Any, g: Any) -> Any:
        try:
            g.detach().numpy()
        except RuntimeError:  # it is a batch
            return 2 * Cube.backward(ctx, g)
        return Cube.backward(ctx, g)

    with pytest.raises(GradcheckError, match="vmap over backward gives x = "):
        gradcheck(of_cube(backward=noticing).apply, given(3), check_batched_grad=True)


def test_a_second_order_is_verified() -> None:
    assert gradgradcheck(torch.matmul, (given(2, 3), given(3, 2)))
    assert gradgradcheck(Cube.apply, given(3), drawn(3))
    detached = of_cube(backward=lambda ctx, g: 3 * ctx.saved_tensors[0].detach() ** 2 * g)
    assert gradcheck(detached.apply, given(3))
    with pytest.raises(GradcheckError, match="second_order"):
        gradgradcheck(detached.apply, given(3))
    assert not gradgradcheck(detached.apply, given(3), raise_exception=False)
    once = of_cube(backward=torch.autograd.function.once_differentiable(Cube.backward))
    with pytest.raises(ValueError, match="the backward of Cube is marked once_differentiable: use gradcheck"):
        gradgradcheck(once.apply, given(3))


@pytest.mark.parametrize("layout", ["coo", "csr", "csc", "bsr"])
@pytest.mark.filterwarnings("ignore:Sparse (CSR|CSC|BSR) tensor support is in beta")
def test_sparse_inputs_are_perturbed_in_their_entries(layout: str) -> None:
    dense = drawn(4, 4) * torch.tensor([1.0, 0.0, 1.0, 0.0]).double()
    options = {"blocksize": (2, 2)} if layout == "bsr" else {}
    sparse = getattr(dense, "to_sparse" if layout == "coo" else f"to_sparse_{layout}")(**options).requires_grad_()
    assert gradcheck(lambda a: a.to_dense() ** 2, sparse, masked=True)
    if layout in ("coo", "csr"):
        assert gradcheck(lambda a, b: torch.sparse.mm(a, b), (sparse, given(4, 2)), masked=True)
    assert not gradcheck(lambda a: a.to_dense() ** 2 + a.detach().to_dense(), sparse, raise_exception=False)
    assert sparse.layout is not torch.strided


def test_sparse_outputs_are_compared_entry_by_entry() -> None:
    assert gradcheck(lambda x: (x * 2).to_sparse(), given(2, 3))
