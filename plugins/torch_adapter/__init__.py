"""torch: autograd.Function classes, nn.Module objects and functions of tensors as Modules."""

from gradcheck.plugins.torch_adapter.adapter import ADAPTER as ADAPTER
