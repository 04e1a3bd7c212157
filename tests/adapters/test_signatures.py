"""Arguments by name reach a function whatever kind of parameters it has; what does not fit is refused by name."""

from collections.abc import Callable
from inspect import signature
from typing import Any

import pytest

from gradcheck.adapters.signatures import bindable, bound, names_at, require_fitting
from gradcheck.values.errors import PointError, TargetError


def line(x: Any, slope: Any, offset: Any = 0.0) -> Any:
    return x, slope, offset


def by_position_only(x: Any, slope: Any, /, offset: Any = 0.0) -> Any:
    return x, slope, offset


def by_name_only(x: Any, *, slope: Any, offset: Any = 0.0) -> Any:
    return x, slope, offset


def any_names(**given: Any) -> Any:
    return given


def any_number(*given: Any) -> Any:
    return given


def any_number_more(x: Any, *more: Any) -> Any:
    return x, more


@pytest.mark.parametrize("function", [line, by_position_only, by_name_only])
def test_names_reach_their_parameters_in_any_order(function: Callable[..., Any]) -> None:
    positional, keywords = bound(signature(function), {"slope": 2, "x": 1})
    assert function(*positional, **keywords) == (1, 2, 0.0)


def test_all_is_given_by_position_that_may_be() -> None:
    assert bound(signature(line), {"offset": 3, "slope": 2, "x": 1}) == ((1, 2, 3), {})
    assert bound(signature(by_name_only), {"slope": 2, "x": 1}) == ((1,), {"slope": 2})


def test_what_is_left_out_in_between_is_left_to_its_default() -> None:
    def shifted(x: Any, slope: Any = 5, offset: Any = 0.0) -> Any:
        return x, slope, offset

    positional, keywords = bound(signature(shifted), {"x": 1, "offset": 3})
    assert shifted(*positional, **keywords) == (1, 5, 3)


def test_a_function_that_takes_anything_is_given_it() -> None:
    given = {"b": 2, "a": 1}
    assert bound(signature(any_names), given) == ((), given)
    assert bound(signature(any_number), given) == ((2, 1), {})
    assert bound(None, given) == ((2, 1), {})


def test_a_name_that_it_knows_is_not_taken_for_one_of_any_number() -> None:
    positional, keywords = bound(signature(any_number_more), {"more": (2, 3), "x": 1})
    assert any_number_more(*positional, **keywords) == (1, (2, 3))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("x", "slop"), r"line has no argument 'slop'; it takes x, slope, offset; did you mean 'slope'"),
        (("x",), r"line: no value given for slope; it takes x, slope, offset"),
        (("offset",), r"line: no value given for x, slope; it takes x, slope, offset"),
    ],
)
def test_what_does_not_fit_is_refused(names: tuple[str, ...], told: str) -> None:
    with pytest.raises(PointError, match=told):
        require_fitting(signature(line), dict.fromkeys(names), "line")


def test_a_function_without_parameters_says_so() -> None:
    with pytest.raises(PointError, match=r"nothing has no argument 'x'; it takes none"):
        require_fitting(signature(lambda: None), {"x": 1}, "nothing")


@pytest.mark.parametrize("function", [line, by_position_only, by_name_only])
def test_what_fits_is_let_through(function: Callable[..., Any]) -> None:
    require_fitting(signature(function), {"slope": 2, "x": 1}, "line")


def test_where_any_names_are_taken_none_is_refused() -> None:
    for function in (any_names, any_number, any_number_more):
        require_fitting(signature(function), {"whatever": 1}, "taker")
    require_fitting(None, {"whatever": 1}, "taker")


def test_only_what_takes_all_by_name_has_a_signature_to_bind_by_name() -> None:
    assert bindable(signature(line)) == signature(line)
    assert bindable(signature(by_position_only)) is None
    assert bindable(None) is None


def test_positions_are_those_of_the_parameters_from_either_end() -> None:
    assert names_at(signature(line), (1, -1), "line") == ("slope", "offset")
    assert names_at(None, (), "line") == ()


@pytest.mark.parametrize("position", [3, -4])
def test_a_position_beyond_the_parameters_is_refused(position: int) -> None:
    told = rf"line: nondiff_argnums has {position}, but there are 3 arguments: x, slope, offset"
    with pytest.raises(TargetError, match=told):
        names_at(signature(line), (position,), "line")


def test_a_position_of_what_has_no_signature_is_refused() -> None:
    with pytest.raises(TargetError, match=r"but there are 0 arguments: none that Python can tell"):
        names_at(None, (0,), "power")
