"""Whether torch records a graph, whatever mode the caller is in."""

from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from gradcheck.plugins.torch_adapter.framework import torch


def recording(wanted: bool = True) -> AbstractContextManager[Any]:
    """Let torch record a graph, or none, while this lasts."""
    if torch.is_inference_mode_enabled():
        stack = ExitStack()
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.set_grad_enabled(wanted))
        return stack
    if torch.is_grad_enabled() is wanted:
        return nullcontext()
    mode: AbstractContextManager[Any] = torch.set_grad_enabled(wanted)
    return mode
