"""A module that is known to be wrong, and is to say so when it is mended."""

import pytest

import gradcheck
from gradcheck import real


@pytest.mark.xfail(strict=True, reason="issue 12: the factor 2 is missing")
@gradcheck.register
class Square(gradcheck.Module):
    inputs = {"x": real("N")}

    def forward(self, x):
        return x**2, x

    def backward(self, saved, a_bar):
        return {"x": saved * a_bar}
