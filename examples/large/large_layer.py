"""A layer of a hundred and of ten thousand weights."""

import numpy as np

import gradcheck
from gradcheck import real


@gradcheck.register
class TanhLayer(gradcheck.Module):
    inputs = {"x": real("N D")}
    parameters = {"weight": real("D M")}
    outputs = {"a": "N M"}
    dimensions = ({"N": 4, "D": 10, "M": 10}, {"N": 4, "D": 100, "M": 100})

    def forward(self, x, weight):
        a = np.tanh(x @ weight / len(weight))
        return a, (x, weight, a)

    def backward(self, saved, a_bar):
        x, weight, a = saved
        z_bar = a_bar * (1 - a * a) / len(weight)
        return {"x": z_bar @ weight.T, "weight": x.T @ z_bar}
