"""autograd.Function classes: all that they can say to torch, and what they really return."""

from typing import Any

import pytest

import gradcheck
from gradcheck import PointError, Verdict
from tests.plugins.torch.judging import Function, drawn, fails, leaves_of, passes, torch


class Linear(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any = None, times: int = 1) -> Any:
        ctx.save_for_backward(x, weight)
        ctx.times = times
        return times * (x @ weight + (0 if bias is None else bias))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, weight = ctx.saved_tensors
        g = ctx.times * g
        return g @ weight.T, x.T @ g, g.sum(0) if ctx.needs_input_grad[2] else None, None


def point() -> dict[str, Any]:
    return {"x": drawn(4, 3), "weight": drawn(3, 2), "bias": drawn(2)}


def test_every_tensor_is_a_leaf_and_defaults_are_filled_in() -> None:
    assert leaves_of(passes(Linear, point())) == ["x", "weight", "bias"]
    assert leaves_of(passes(Linear, {"weight": drawn(3, 2), "x": drawn(4, 3), "times": 2})) == ["weight", "x"]


def test_arguments_in_order_may_have_any_names() -> None:
    assert leaves_of(passes(Linear, {"a": drawn(4, 3), "b": drawn(3, 2), "c": drawn(2), "d": 2})) == ["a", "b", "c"]


def test_an_apply_stands_for_its_class() -> None:
    assert leaves_of(passes(Linear.apply, point())) == ["x", "weight", "bias"]


def test_arguments_have_to_fit() -> None:
    with pytest.raises(PointError, match=r"Linear has no argument 'wieght'; it takes x, weight.*did you mean 'weight'"):
        gradcheck.check(Linear, {"x": drawn(4, 3), "wieght": drawn(3, 2)})


class Pair(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        ctx.set_materialize_grads(False)
        return x * y, x + y

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        x, y = ctx.saved_tensors
        product = (None, None) if g is None else (g * y, g * x)
        sums = [part if h is None else h if part is None else part + h for part in product]
        return tuple(None if part is None else part.clone() for part in sums)


def test_a_cotangent_that_is_zero_beside_others_is_undefined_as_in_use() -> None:
    both = {"x": drawn(3), "y": drawn(3, seed=1)}
    passes(Pair, both)

    class Careless(Pair):
        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y + h, g * x + h

    report = gradcheck.check(Careless, both, checks=["gradient"])
    assert report.verdict is Verdict.ERROR
    assert "NoneType" in str(report)


def test_an_output_that_is_marked_as_not_differentiable_is_left_out() -> None:
    class Marked(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            other = 3 * x
            ctx.mark_non_differentiable(other)
            return 2 * x, other, x.argmax()

        @staticmethod
        def backward(_: Any, g: Any, _other: Any, _index: Any) -> Any:
            return 2 * g

    passes(Marked, {"x": drawn(3)})


def test_a_leaf_that_torch_does_not_follow_has_a_gradient_of_zeros() -> None:
    class Total(Function):
        @staticmethod
        def forward(_: Any, parts: Any) -> Any:
            return parts[0] + parts[1]  # apply looks into no list

        @staticmethod
        def backward(_: Any, _g: Any) -> Any:
            return None

    fails(Total, {"parts": [drawn(3), drawn(3, seed=1)]}, "gradient", "parts[0]", "analytical 0")


class InPlace(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(_: Any, g: Any) -> Any:
        return 2 * g


def test_writing_to_an_argument_is_right_if_it_is_marked_and_wrong_if_not() -> None:
    class Secretly(InPlace):
        @staticmethod
        def forward(_: Any, x: Any) -> Any:
            return x.mul_(2).clone()

    given = drawn(3)
    kept = given.clone()
    passes(InPlace, {"x": given})
    fails(Secretly, {"x": given}, "purity", "forward writes to its leaf x")
    assert torch.equal(given, kept)
    wrong = type("Wrong", (InPlace,), {"backward": staticmethod(lambda ctx, g: (3 * g)[None])})
    fails(wrong, {"x": given}, "dimensions", "has shape (1, 3)")


def test_only_what_needs_a_gradient_says_so() -> None:
    seen: list[Any] = []

    class Watching(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any) -> Any:
            seen.append(ctx.needs_input_grad)
            return Linear.forward(ctx, x, weight)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            assert not ctx.needs_input_grad[1]
            return g @ ctx.saved_tensors[1].T, None

    passes(Watching, {"x": drawn(4, 3).requires_grad_(), "weight": drawn(3, 2)})
    assert set(seen) == {(True, False)}


def test_a_cache_on_the_class_is_found() -> None:
    class Stale(Function):
        cache: Any = None

        @staticmethod
        def forward(_: Any, x: Any) -> Any:
            Stale.cache = x.detach().clone()
            return x**2

        @staticmethod
        def backward(_: Any, g: Any) -> Any:
            return 2 * Stale.cache * g

    fails(Stale, {"x": drawn(3)}, "state", "for the first of two forwards")


def test_what_forward_saved_cannot_be_written_to_unseen() -> None:
    class Eating(Linear):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            gradients = Linear.backward(ctx, g)
            ctx.saved_tensors[0].mul_(2)
            return gradients

    report = gradcheck.check(Eating, point())
    assert report.verdict in (Verdict.FAIL, Verdict.ERROR)
    fails(Eating, point(), "purity", "backward writes to its leaf x")
