"""``report.plot``: the picture of a leaf as a figure, made when it is asked for."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.modules import Linear, Tanh
from gradcheck.values.errors import ConfigurationError
from tests.mutants import MUTANTS

pytest.importorskip("matplotlib", reason="matplotlib is not installed; make test installs it")
WRONG_SIGN = MUTANTS[0]


def test_a_plot_shows_the_worst_case_with_maps_histogram_and_curve() -> None:
    figure = gradcheck.check(WRONG_SIGN).plot("weight")
    axes = figure.axes
    assert [axis.get_title() for axis in axes[:4]] == [
        "analytical",
        "numerical",
        "gap / allowed",
        "entries by relative error",
    ]
    assert axes[4].get_title().startswith("weight[")
    assert figure.get_suptitle().startswith("Linear: wrong sign[N=5 D=3 M=2]")
    assert figure.get_suptitle().endswith("weight  fail")
    analytical, numerical, gap = (np.asarray(axis.images[0].get_array()) for axis in axes[:3])
    assert np.array_equal(analytical, -numerical)
    assert np.any(analytical)
    assert np.array_equal(gap > 0, analytical != 0)
    assert len(axes[2].patches) == 5
    labels = {line.get_label() for line in axes[4].lines}
    assert {"central differences", "round-off", "first step", "stated error", "backward is off by"} <= labels
    figure.canvas.draw()


def test_a_plot_of_a_case_is_that_of_the_case() -> None:
    report = gradcheck.check(Linear())
    compared = [case for case in report.verification.cases if any(check.evidence for check in case.checks)]
    assert len(compared) == 3
    for case in compared:
        figure = report.plot("weight", case=case.id)
        assert figure.get_suptitle().startswith(f"{case.id}  weight")
        (evidence,) = [c.evidence for c in case.checks if c.evidence and c.leaf == "weight"]
        image = np.asarray(figure.axes[0].images[0].get_array())
        assert image.size == evidence.entries


def test_a_plot_of_given_arrays_and_of_pictures_that_are_there_is_the_same() -> None:
    arrays = {"x": np.array([[0.1, 0.7]])}
    later, before = (gradcheck.check(Tanh(), arrays, pictures=pictures) for pictures in (False, True))
    one, other = later.plot("x"), replace(before, again=()).plot("x")
    for first, second in zip(one.axes[:3], other.axes[:3], strict=True):
        assert np.array_equal(first.images[0].get_array(), second.images[0].get_array())  # type: ignore[arg-type]  # None only of an empty image


def test_entries_that_are_no_numbers_and_names_that_look_like_formulas_are_drawn() -> None:
    module = gradcheck.from_functions(
        lambda x: 2 * x, lambda leaves, a_bar: {"x": a_bar * np.nan}, name="$\\frac{1}{$ \x1b[2J"
    )
    figure = gradcheck.check(module, {"x": np.ones(2)}).plot("x")
    figure.canvas.draw()
    assert "\x1b" not in figure.get_suptitle()
    assert np.isnan(np.asarray(figure.axes[0].images[0].get_array(), dtype=float)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"leaf": "wieght"}, "plot was given the leaf 'wieght', but there are x, weight, bias; did you mean 'weight'?"),
        (
            {"leaf": "x", "case": "Linear[N=1]"},
            "plot was given the case 'Linear[N=1]', but there are Linear[N=2 D=3 M=5], ",
        ),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        gradcheck.check(Linear()).plot(**arguments)
    assert message in str(raised.value)


def test_where_no_gradient_was_compared_there_is_nothing_to_plot() -> None:
    with pytest.raises(ConfigurationError, match="the leaf 'x', but no gradient was compared"):
        gradcheck.check(Tanh(), checks=["purity"]).plot("x")


def test_of_projections_and_of_what_cannot_be_made_again_there_is_no_plot() -> None:
    projected = gradcheck.check(Tanh(), cases=[{"B": (40, 50)}], mode="projected", checks=["gradient"])
    (case,) = projected.verification.cases
    if case.checks[0].evidence and not case.checks[0].evidence.coverage.one_by_one:
        with pytest.raises(ConfigurationError, match="check with pictures=True, and not by projections only"):
            replace(projected, again=()).plot("x")
    with pytest.raises(ConfigurationError, match=r"there is no picture of Tanh\[B=2x3\]: check with pictures=True"):
        replace(gradcheck.check(Tanh(), cases=[{"B": (2, 3)}]), again=()).plot("x")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for known in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, known)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigurationError, match=r"plot needs matplotlib.*: pip install 'gradcheck\[report\]'"):
        gradcheck.check(Tanh()).plot("x")
