"""torch's generators of random numbers: seeded for one evaluation, and afterwards as they were."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from gradcheck.plugins.torch_adapter.framework import Tensor, torch


def generators() -> Sequence[Any]:
    """The global generators: of the host, and of every CUDA device that is in use."""
    cuda = torch.cuda.default_generators if torch.cuda.is_available() and torch.cuda.is_initialized() else ()
    return (torch.default_generator, *cuda)


@contextmanager
def restored() -> Iterator[None]:
    """Leave the generators as they are found."""
    states = [(generator, generator.get_state()) for generator in generators()]
    try:
        yield
    finally:
        for generator, state in states:
            generator.set_state(state)


def seeded(seed: int | None) -> AbstractContextManager[None]:
    """Let the generators begin with a seed, and leave them as they are found; nothing at all without a seed."""
    return nullcontext() if seed is None else _seeded(seed)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with restored():
        for generator in generators():
            generator.manual_seed(seed)
        yield


def states() -> list[Tensor]:
    """What the generators would draw next."""
    return [generator.get_state() for generator in generators()]


def unchanged(before: Sequence[Tensor], after: Sequence[Tensor]) -> bool:
    """Whether nothing was drawn in between."""
    return len(before) == len(after) and all(torch.equal(*pair) for pair in zip(before, after, strict=True))
