"""Attention."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import Declaration, mask, real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Attention(Module):
    """Scaled dot-product attention a = softmax(q kᵀ / √D) v, on request with a mask (Vaswani et al. 2017).

    Shapes: query (*B, Q, D), key (*B, T, D), value (*B, T, E), a (*B, Q, E); mask (*B, Q, T) is True where a query may
    look, and a query that may look nowhere gets 0. Raises ConfigurationError if a mask is missing or not expected.

    >>> one = np.ones((1, 2))
    >>> Attention().forward(query=one, key=one, value=np.array([[3.0]]))[0].tolist()
    [[3.0]]
    """

    masked: bool = False

    outputs = {"a": "*B Q E"}
    independent = ("*B", "Q")
    dimensions = (
        {"B": (2,), "Q": 2, "T": 3, "D": 2, "E": 3},
        {"B": (), "Q": 3, "T": 2, "D": 4, "E": 2},
        {"B": (2, 2), "Q": 1, "T": 4, "D": 3, "E": 1},
    )
    variants = ({}, {"masked": True})

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        leaves = {"query": real("*B Q D"), "key": real("*B T D"), "value": real("*B T E")}
        return {**leaves, "mask": mask("*B Q T")} if self.masked else leaves

    @property
    def examples(self) -> tuple[Example, ...]:
        # Scores 0 and log 3 · √4 / √4 give the weights 1/4 and 3/4.
        leaves = {"query": [[2.0, 0, 0, 0]], "key": [[0.0, 1, 1, 1], [np.log(3.0), 1, 0, 0]], "value": [[4.0], [8.0]]}
        return (Example({**leaves, "mask": [[True, False]]}, [[4.0]]) if self.masked else Example(leaves, [[7.0]]),)

    def forward(self, query: Array, key: Array, value: Array, mask: Array | None = None) -> tuple[Array, Saved]:
        if (mask is not None) is not self.masked:
            raise ConfigurationError(
                f"{self.name}: a mask is {'given' if mask is not None else 'not given'}; expected with masked=True only"
            )
        scale = 1.0 / math.sqrt(query.shape[-1])
        scores = (query * scale) @ np.swapaxes(key, -1, -2)
        if mask is not None:
            scores = np.where(mask, scores, -np.inf)
        weights = _softmax(scores)
        return weights @ value, (query, key, value, weights, scale)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # a = W v, W = softmax(S), S = s q kᵀ:   v̄ = Wᵀ ā,   W̄ = ā vᵀ,   S̄ = W (W̄ - Σ_t W̄ W),   q̄ = s S̄ k,   k̄ = s S̄ᵀ q
        query, key, value, weights, scale = saved
        weights_bar = a_bar @ np.swapaxes(value, -1, -2)
        scores_bar = weights * (weights_bar - (weights_bar * weights).sum(axis=-1, keepdims=True)) * scale
        return {
            "query": scores_bar @ key,
            "key": np.swapaxes(scores_bar, -1, -2) @ query,
            "value": np.swapaxes(weights, -1, -2) @ a_bar,
        }


def _softmax(scores: Array) -> Array:
    """Softmax over the last axis; 0 throughout where every score is -inf."""
    largest = scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(scores - np.where(np.isfinite(largest), largest, 0.0))
    total = exponentials.sum(axis=-1, keepdims=True)
    return np.asarray(exponentials / np.where(total > 0, total, 1.0))
