"""The whole table: differentiable operators of torch, each with arguments of a few coordinates."""

from tests.plugins.torch.operators import (
    activations,
    complex_numbers,
    elementwise,
    kinks,
    losses,
    matrices,
    networks,
    reductions,
    shapes,
    special,
)

_THEMES = (
    elementwise,
    activations,
    special,
    reductions,
    shapes,
    matrices,
    complex_numbers,
    networks,
    losses,
    kinks,
)

OPERATORS = tuple(operator for theme in _THEMES for operator in theme.OPERATORS)
