"""Two layers of a team, registered where they are defined."""

import numpy as np

import gradcheck
from gradcheck import real


@gradcheck.register
class Dense(gradcheck.Module):
    inputs = {"x": real("N D")}
    parameters = {"weight": real("D M"), "bias": real("M")}
    outputs = {"a": "N M"}

    def forward(self, x, weight, bias):
        return x @ weight + bias, (x, weight)

    def backward(self, saved, a_bar):
        x, weight = saved
        return {"x": a_bar @ weight.T, "weight": x.T @ a_bar, "bias": a_bar.sum(axis=0)}


@gradcheck.register
class Softsign(gradcheck.Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x):
        return x / (1 + np.abs(x)), x

    def backward(self, saved, a_bar):
        return {"x": a_bar / (1 + np.abs(saved)) ** 2}
