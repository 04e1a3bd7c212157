"""torch's own operators: none is rejected that torch differentiates correctly, and what it gets wrong is found.

A sample by position; `python benchmarks/torch_operators.py` takes all of them, in both precisions.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest

from gradcheck import Verdict
from gradcheck.surfaces.report import Report
from tests.plugins.torch.operators.row import Operator, torch
from tests.plugins.torch.operators.table import OPERATORS
from tests.plugins.torch.operators.wrong import WRONG, Wrong

pytestmark = pytest.mark.sweep

EVERY, EVERY_IN_SINGLE, OFFSET = 4, 8, 5
SAMPLE = [
    *(pytest.param(operator, False, id=f"{operator.name}, float64") for operator in OPERATORS[::EVERY]),
    *(
        pytest.param(operator, True, id=f"{operator.name}, float32")
        for operator in OPERATORS[OFFSET::EVERY_IN_SINGLE]
        if not operator.wrong_in_single
    ),
]


def flat(returned: Any) -> tuple[Any, ...]:
    """All tensors that an operator returns."""
    if isinstance(returned, torch.Tensor):
        return (returned,)
    return tuple(tensor for part in returned for tensor in flat(part))


def torch_passes(operator: Operator) -> bool:
    """What torch's own checker says, at its defaults."""
    tensors = operator.tensors()
    given = [
        value.requires_grad_() if value.is_floating_point() or value.is_complex() else value
        for value in tensors.values()
    ]
    function = operator.function
    passed: bool = torch.autograd.gradcheck(lambda *values: flat(function(*values)), given, raise_exception=False)
    return passed


@cache
def report_on(operator: Operator, single: bool) -> Report:
    return operator.report(single)


@pytest.mark.parametrize(("operator", "single"), SAMPLE)
def test_an_operator_is_not_rejected(operator: Operator, single: bool) -> None:
    report = report_on(operator, single)
    assert report.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE), str(report)


def test_hardly_any_is_left_open() -> None:
    verdicts = [report_on(*case.values).verdict for case in SAMPLE]
    assert verdicts.count(Verdict.INCONCLUSIVE) <= 0.02 * len(verdicts)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_torch_gets_wrong_is_found(wrong: Wrong) -> None:
    report = wrong.report()
    failing = {
        check.check for case in report.verification.cases for check in case.checks if check.verdict is Verdict.FAIL
    }
    assert wrong.check in failing, str(report)


@pytest.mark.parametrize("operator", [*OPERATORS[::EVERY], *(wrong.operator for wrong in WRONG)], ids=lambda o: o.name)
def test_what_torch_itself_says_is_known(operator: Operator) -> None:
    assert torch_passes(operator) is not bool(operator.rejected_by_torch)


def test_there_are_enough_operators() -> None:
    assert len(OPERATORS) >= 450
    assert len({operator.name for operator in OPERATORS}) == len(OPERATORS)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_arguments_are_few_the_same_for_a_seed_and_give_finite_outputs(operator: Operator) -> None:
    first, second = operator.arguments(np.random.default_rng(1)), operator.arguments(np.random.default_rng(1))
    assert all(1 <= value.size <= 60 for value in first.values())
    assert all(np.array_equal(value, second[name]) for name, value in first.items())
    for single in (False, True):
        outputs = flat(operator.function(**operator.tensors(single)))
        assert all(bool(torch.isfinite(output).all()) for output in outputs)
