"""An activation that computes in whatever precision its input has."""

from dataclasses import dataclass

import numpy as np

import gradcheck
from gradcheck import interval


@gradcheck.register
@dataclass(frozen=True)
class AlgebraicSigmoid(gradcheck.Module):
    """a = x / √(1 + x²)."""

    dtype: str = "float64"

    outputs = {"a": "*B"}
    variants = ({}, {"dtype": "float32"}, {"dtype": "float16"})

    @property
    def inputs(self):
        return {"x": interval("*B", -3, 3, dtype=self.dtype)}

    def forward(self, x):
        slope = 1 / np.sqrt(1 + x * x)
        return x * slope, slope

    def backward(self, slope, a_bar):
        return {"x": a_bar * slope * slope * slope}
