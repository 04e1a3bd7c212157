"""The adapter of HIPS autograd: its functions, and primitives with defvjp and defjvp, as Modules."""

from gradcheck.plugins.autograd_adapter.adapter import AutogradAdapter
from gradcheck.plugins.autograd_adapter.building import from_autograd as from_autograd

ADAPTER = AutogradAdapter()
