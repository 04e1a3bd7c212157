"""Objects of torch in other people's tests: the fixture takes them, and so does a file that registers them."""

import sys
from pathlib import Path

import pytest

from tests.plugins.torch.judging import torch  # where torch is not installed nothing of this is run

assert torch

FUNCTIONS = """
import torch


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, a_bar):
        return {factor} * ctx.saved_tensors[0] * a_bar


POINT = {{"x": torch.tensor([0.5, -1.5, 3.0], dtype=torch.float64)}}
"""
TESTS = """
from functions import POINT, Square


def test_square(gradcheck):
    gradcheck(Square, POINT, threshold=1e-6)
"""
REGISTERED = """
import gradcheck
from functions import Square
from gradcheck.plugins.torch_adapter import from_torch

gradcheck.register(from_torch(Square, inputs={"x": gradcheck.real("N")}))
"""


@pytest.mark.parametrize(("factor", "passed"), [(2, 1), (3, 0)])
def test_the_fixture_takes_an_autograd_function(pytester: pytest.Pytester, factor: int, passed: int) -> None:
    pytester.makepyfile(functions=FUNCTIONS.format(factor=factor), test_square=TESTS)
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=passed, failed=1 - passed)
    if not passed:
        result.stdout.fnmatch_lines(["*FAIL  Square*gradient*x*"])


@pytest.mark.parametrize(("factor", "status"), [(2, 0), (3, 1)])
def test_the_command_line_verifies_what_a_file_registers(pytester: pytest.Pytester, factor: int, status: int) -> None:
    pytester.makepyfile(functions=FUNCTIONS.format(factor=factor), layers=REGISTERED)
    command = (str(Path(sys.executable).with_name("gradcheck")), "report", "layers.py")
    assert pytester.run(*command).ret == status
