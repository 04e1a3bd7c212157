"""Cases of a module with another number of samples."""

from gradcheck.algebra.sampling import case_specs
from gradcheck.values.case import CaseSpec
from gradcheck.values.module import Module


def batch_symbols(module: Module) -> set[str]:
    """The symbols that count samples: N, or what stands for any leading axes."""
    leading = {axis for leaf in module.inputs.values() for axis in leaf.dimensions.axes[:1]}
    return {axis.lstrip("*") for axis in leading if axis == "N" or axis.startswith("*")}


def with_samples(module: Module, count: int) -> CaseSpec:
    """The first case of a module with so many samples."""
    sizes = dict(case_specs(module)[0].sizes)
    for symbol in batch_symbols(module):
        sizes[symbol] = (count,) if isinstance(sizes[symbol], tuple) else count
    return CaseSpec(f"{count} samples", sizes)
