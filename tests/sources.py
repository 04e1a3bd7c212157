"""Source text for tests that write a project of their own: a correct module, registered."""

LAYERS = """
import gradcheck
from gradcheck import real


class Affine(gradcheck.Module):
    inputs = {"x": real("N D")}
    parameters = {"weight": real("D M"), "bias": real("M")}
    outputs = {"a": "N M"}

    def forward(self, x, weight, bias):
        return x @ weight + bias, (x, weight)

    def backward(self, saved, a_bar):
        x, weight = saved
        return {"x": a_bar @ weight.T, "weight": x.T @ a_bar, "bias": a_bar.sum(axis=0)}


gradcheck.register(Affine)
"""
