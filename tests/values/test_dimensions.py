import pytest

from gradcheck.values.dimensions import Dimensions, bind
from gradcheck.values.errors import DeclarationError


@pytest.mark.parametrize("text", ["N,D", "N-1", "*", "N ?", "*A *B", "3.5"])
def test_malformed_dimensions_are_refused_with_the_offender(text: str) -> None:
    with pytest.raises(DeclarationError, match=r"cannot be read: expected names.*offending: \S+"):
        Dimensions.parse(text)


@pytest.mark.parametrize(
    ("text", "sizes", "shape"),
    [
        ("", {}, ()),
        ("3", {}, (3,)),
        ("N 3", {"N": 2}, (2, 3)),
        ("*B D", {"B": (), "D": 4}, (4,)),
        ("N *B D", {"N": 1, "B": (2, 3), "D": 4}, (1, 2, 3, 4)),
    ],
)
def test_shape_and_sizes_are_each_others_inverse(text: str, sizes: dict[str, int], shape: tuple[int, ...]) -> None:
    dimensions = Dimensions.parse(text)
    assert dimensions.shape(sizes) == shape
    assert bind({"x": dimensions}, {"x": shape}) == (sizes, [])


@pytest.mark.parametrize(
    ("text", "shape", "problem"),
    [
        ("N D", (2,), r"x has shape \(2,\), declared 'N D': 1 axes instead of 2"),
        ("*B N D", (2,), r"1 axes instead of 3"),
        ("N 3", (2, 4), r"an axis has size 4 instead of 3"),
        ("N N", (2, 4), r"N is 4 here but 2 in x \(2, 4\)"),
    ],
)
def test_a_shape_that_does_not_fit_is_described(text: str, shape: tuple[int, ...], problem: str) -> None:
    _, (found,) = bind({"x": Dimensions.parse(text)}, {"x": shape})
    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(found)


def test_two_arrays_that_bind_a_symbol_differently_are_both_named() -> None:
    dimensions = {"x": Dimensions.parse("N D"), "weight": Dimensions.parse("D M")}
    _, (problem,) = bind(dimensions, {"x": (2, 3), "weight": (4, 5)})
    assert problem == "weight has shape (4, 5), declared 'D M': D is 4 here but 3 in x (2, 3)"
