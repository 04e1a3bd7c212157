"""A bug that drawn points do not show: they are within ±2."""

import numpy as np

import gradcheck
from gradcheck import real


@gradcheck.register
class Softplus(gradcheck.Module):
    inputs = {"x": real("N D")}

    def forward(self, x):
        return np.logaddexp(0, x), x

    def backward(self, saved, a_bar):
        # For large x the slope is 1; but 5 is not large yet.
        return {"x": np.where(saved > 5, 1.0, 1 / (1 + np.exp(-saved))) * a_bar}
