"""What crosses the processes of a test run arrives as it was."""

import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given

from gradcheck.algebra.strides import strides_of
from gradcheck.surfaces.formats.as_data import render_json, results_as_json
from gradcheck.surfaces.formats.from_data import joined, results_from_json, verification_from_json
from gradcheck.values.aliases import Array
from gradcheck.values.results import CaseResult, CheckResult, Source, Verification
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict
from tests.surfaces.drawn import verifications
from tests.surfaces.formats.test_formats import DOCUMENT


@given(verifications)
def test_any_results_arrive_as_they_were(verification: Verification) -> None:
    text = results_as_json(verification.cases, verification.problems)
    cases, problems = results_from_json(text)
    # NaN is not equal to itself, its text is.
    assert results_as_json(cases, problems) == text
    assert problems == verification.problems


@given(verifications)
def test_any_report_is_read_back(verification: Verification) -> None:
    text = render_json(verification)
    read = verification_from_json(text)
    assert render_json(read) == text
    assert read.partial == verification.partial


def test_sizes_of_a_starred_symbol_are_read_back() -> None:
    settings = Settings(cases=[{"*B": (2, 3), "N": 4}])
    assert verification_from_json(render_json(Verification((), (), settings))).settings == settings


@pytest.mark.parametrize(
    "array",
    [
        np.array([1.5, -0.0, np.inf, -np.inf, np.nan]),
        np.array([[1, 2], [3, 4]]),
        np.array([True, False]),
        np.array(1e-320),
        np.zeros((2, 0, 3)),
        np.array([0.1, 3e38], dtype="float32"),
        np.array([1 + 2j, complex(np.inf, -1)]),
        np.array([[1 - 1j]], dtype="complex64"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6.0)[::2],
        np.arange(6.0).reshape(2, 3)[::-1, ::-1],
    ],
    ids=str,
)
def test_an_array_arrives_with_its_dtype_and_layout(array: Array) -> None:
    case = CaseResult("Module", "N=1", Source(""), (CheckResult("search", Verdict.FAIL, "", call={"x": array}),))
    (read,), _ = results_from_json(results_as_json([case], []))
    arrived = read.checks[0].call["x"]
    np.testing.assert_array_equal(arrived, array)
    assert (arrived.dtype, arrived.shape, strides_of(arrived)) == (array.dtype, array.shape, strides_of(array))
    document = json.loads(render_json(Verification((case,), (), Settings())), parse_constant=pytest.fail)
    jsonschema.validate(document, DOCUMENT)


def test_checks_of_one_case_are_put_together_in_the_order_of_appearance() -> None:
    def case(module: str, name: str, check: str, seconds: float) -> CaseResult:
        return CaseResult(module, name, Source("target"), (CheckResult(check, Verdict.PASS, ""),), seconds)

    appearing = [
        ("B", "N=1", "purity", 1),
        ("A", "N=1", "purity", 1),
        ("B", "N=2", "purity", 1),
        ("B", "N=1", "state", 2),
    ]
    found = joined(case(*one) for one in appearing)
    assert [(c.id, [check.check for check in c.checks], c.seconds) for c in found] == [
        ("B[N=1]", ["purity", "state"], 3),
        ("B[N=2]", ["purity"], 1),
        ("A[N=1]", ["purity"], 1),
    ]
