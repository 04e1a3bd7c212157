"""Batches by vmap, compared with one at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.plugins.torch_adapter.recorded import UNNAMED
from gradcheck.plugins.torch_adapter.torch_module import TorchModule
from gradcheck.values.aliases import Array

_COUNT = 3
_TOLERANCE = 1e-4


def batched_problems(module: TorchModule, *, backward: bool, forward: bool) -> list[str]:
    """What vmap over cotangents, and over tangents, gives that one at a time does not; with what it raises."""
    stream = {"rng": np.random.default_rng(0)} if module.stochastic else {}
    returned, saved = module.forward(**module.defaults, **stream)
    problems: list[str] = []
    if backward:
        problems += _compared("backward", _batches(returned), module.backward, module.backward_batch, saved)
    if forward:
        tangents = {name: value for name, value in module.defaults.items() if value.dtype.kind in "fc"}
        problems += _compared("jvp", _batches(tangents), module.jvp, module.jvp_batch, saved)
    return problems


def _compared(what: str, batches: Any, one: Any, many: Any, saved: Any) -> Iterator[str]:
    try:
        given = _named(many(saved, batches))
    except Exception as error:
        yield f"vmap over {what} raised {type(error).__name__}: {error}"
        return
    for index in range(_COUNT):
        for name, expected in _named(one(saved, _taken(batches, index))).items():
            if not np.allclose(given[name][index], expected, rtol=_TOLERANCE, atol=0, equal_nan=True):
                yield f"vmap over {what} gives {name} = {given[name][index]} instead of {expected}"
                return


def _named(returned: Any) -> Mapping[str, Array]:
    return returned if isinstance(returned, Mapping) else {UNNAMED: returned}


def _batches(arrays: Any) -> Any:
    """Several arrays of either sign for every array."""
    if isinstance(arrays, Mapping):
        return {name: _batches(array) for name, array in arrays.items()}
    size = _COUNT * arrays.size
    return np.resize(np.linspace(-1.5, 2.0, 7), size).reshape(_COUNT, *arrays.shape).astype(arrays.dtype)


def _taken(batches: Any, index: int) -> Any:
    return {name: batch[index] for name, batch in batches.items()} if isinstance(batches, Mapping) else batches[index]
