"""torch: autograd.Function classes, nn.Module objects and functions of tensors as Modules.

``gradcheck.check(target, {"x": tensor})`` takes them as they are; ``from_torch`` makes a Module with options, or with
declarations to draw points from; ``gradcheck`` and ``gradgradcheck`` are called as those of ``torch.autograd`` are.
"""

from gradcheck.plugins.torch_adapter.adapter import ADAPTER as ADAPTER
from gradcheck.plugins.torch_adapter.construction import from_torch as from_torch
from gradcheck.plugins.torch_adapter.drop_in import gradcheck as gradcheck
from gradcheck.plugins.torch_adapter.drop_in import gradgradcheck as gradgradcheck
