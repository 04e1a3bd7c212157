import numpy as np
import pytest

import gradcheck
from gradcheck.algebra.sampling import case_specs, draw_case, prime_sizes
from gradcheck.modules import Linear, ReLU, Sigmoid
from gradcheck.values.errors import DeclarationError
from gradcheck.values.module import Module


def test_different_symbols_have_different_sizes_both_ways_round() -> None:
    specs = [spec for spec in case_specs(Linear()) if spec.example is None]
    assert [spec.name for spec in specs] == ["N=2 D=3 M=5", "N=5 D=3 M=2", "N=1 D=3 M=5"]


def test_starred_symbols_shrink_to_one_with_the_batch() -> None:
    assert [spec.name for spec in case_specs(Sigmoid()) if spec.example is None] == ["B=2x3", "B=3x2", "B=1x1"]


def test_sizes_of_a_module_are_taken_over() -> None:
    class Sized(Linear):
        dimensions = ({"D": 4}, {"D": 6, "M": 7})

    names = [spec.name for spec in case_specs(Sized()) if spec.example is None]
    assert names == ["N=2 D=4 M=3", "N=2 D=6 M=7", "N=3 D=4 M=2", "N=1 D=4 M=3"]


def test_fixed_dimensions_give_one_case() -> None:
    fixed = gradcheck.from_functions(np.sin, lambda leaves, a: {}, inputs={"x": gradcheck.real("3")})
    assert [spec.name for spec in case_specs(fixed)] == ["point"]


def test_too_many_symbols_are_refused() -> None:
    with pytest.raises(DeclarationError, match=r"13 dimension symbols .* are more than there are default sizes for"):
        prime_sizes(tuple("ABCDEFGHIJKLM"))


def test_points_depend_on_the_seed_and_on_nothing_else() -> None:
    spec = case_specs(Linear())[0]
    first, again, other = (draw_case(Linear(), spec, seed).leaves["x"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_points_keep_away_from_kinks() -> None:
    class Clipped(ReLU):
        kinks = {"x": (0.5, 1.0, -1.0)}

    for seed in range(50):
        x = draw_case(Clipped(), case_specs(Clipped())[0], seed).leaves["x"]
        assert np.all(np.abs(x - 0.5) >= 0.05)
        assert np.all(np.abs(np.abs(x) - 1.0) >= 0.05)


def test_kinks_everywhere_leave_no_point() -> None:
    class Everywhere(ReLU):
        kinks = {"x": tuple(np.arange(-3, 3, 0.05))}

    spec = case_specs(Everywhere())[0]
    with pytest.raises(DeclarationError, match=r"no values could be drawn further than 0.05 from the kinks"):
        draw_case(Everywhere(), spec, 0)


def test_a_class_without_backward_cannot_be_made() -> None:
    class Half(Module):
        inputs = {"x": gradcheck.real("N")}

        def forward(self, x: np.ndarray) -> tuple[np.ndarray, None]:
            return x, None

    with pytest.raises(gradcheck.TargetError, match=r"Half cannot be made without arguments .*backward"):
        gradcheck.check(Half)
