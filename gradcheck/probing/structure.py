"""Structure: claims about where a Jacobian is zero, verified where it should be."""

from collections.abc import Iterator

import numpy as np

from gradcheck.algebra.layout import Layout
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.probing.answers import judged
from gradcheck.values.aliases import Array
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.entry import entry_path
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict

_ROUNDINGS = 64


def check_structure(evaluation: Evaluation) -> CheckResult:
    """Look for entries of the analytical Jacobian where a claim says that there are none.

    That the numerical Jacobian has none there either is what the check 'gradient' verifies, entry by entry.
    """
    module = evaluation.module
    problems: list[str] = []
    if module.jacobian not in ("", "diagonal"):
        text = f"jacobian is {module.jacobian!r}: expected 'diagonal', or nothing"
        return CheckResult("structure", Verdict.ERROR, text)
    if module.jacobian == "diagonal":
        problems += _off_diagonal(evaluation)
    for symbol in module.independent:
        problems += _between_slices(evaluation, symbol)
    claims = [*(["diagonal"] if module.jacobian else []), *(f"independent along {s}" for s in module.independent)]
    return judged("structure", problems, f"the Jacobian is {' and '.join(claims)}, as claimed")


def _off_diagonal(evaluation: Evaluation) -> Iterator[str]:
    inputs = [leaf for leaf in evaluation.differentiable if leaf not in evaluation.module.parameters]
    for leaf in inputs:
        shape = evaluation.case.leaves[leaf].shape
        for name, output in evaluation.forward.outputs.items():
            if output.shape != shape:
                yield f"jacobian = 'diagonal' is claimed, but {leaf} has shape {shape} and {name} {output.shape}"
            elif not np.iscomplexobj(output):
                yield from _entries_off(
                    evaluation, leaf, name, ~np.eye(output.size, dtype=bool), "jacobian = 'diagonal'"
                )


def _between_slices(evaluation: Evaluation, symbol: str) -> Iterator[str]:
    """Entries that connect different slices along a symbol."""
    axes = {leaf: declared.dimensions for leaf, declared in evaluation.module.leaves.items()}
    outputs = {name: Dimensions.parse(text) for name, text in evaluation.module.outputs.items()}
    pairs = [
        (leaf, name)
        for leaf in evaluation.differentiable
        for name in evaluation.forward.outputs
        if leaf in axes and symbol in axes[leaf].axes and name in outputs and symbol in outputs[name].axes
    ]
    claim = f"independent = ({symbol!r},)"
    if not pairs:
        yield f"{claim} is claimed, but no leaf and output both have the dimension {symbol}"
    for leaf, name in pairs:
        at_leaf = _slice_numbers(axes[leaf], symbol, evaluation.case.leaves[leaf])
        at_output = _slice_numbers(outputs[name], symbol, evaluation.forward.outputs[name])
        yield from _entries_off(evaluation, leaf, name, at_output[:, None] != at_leaf[None, :], claim)


def _slice_numbers(dimensions: Dimensions, symbol: str, array: Array) -> Array:
    """For every coordinate of an array the slice along a symbol in which it lies, counted in C order."""
    shape: list[int] = []
    along: list[int] = []
    for axis, size in dimensions.sizes_of(array.shape) or ():
        sizes = size if isinstance(size, tuple) else (size,)
        along += sizes if axis == symbol else ()
        shape += sizes if axis == symbol else [1] * len(sizes)
    numbers = np.broadcast_to(np.arange(int(np.prod(along))).reshape(shape), array.shape).ravel()
    return np.repeat(numbers, 2) if np.iscomplexobj(array) else numbers


def _entries_off(evaluation: Evaluation, leaf: str, output: str, off: Array, claim: str) -> Iterator[str]:
    if leaf not in evaluation.with_jacobians:
        return
    rows = evaluation.forward.layout.positions(output)
    jacobian = np.abs(evaluation.jacobian(leaf)[rows])
    limit = _ROUNDINGS * evaluation.eps(leaf) * float(np.max(jacobian, initial=0.0))
    wrong = off & ~(jacobian <= limit)
    if wrong.any():
        i, j = (int(k) for k in np.unravel_index(int(np.argmax(np.where(wrong, jacobian, -1.0))), wrong.shape))
        at_leaf = Layout.of({leaf: evaluation.case.leaves[leaf]}).locate(j)
        path = f"{entry_path(*at_leaf)} → {entry_path(*evaluation.forward.layout.locate(int(rows[i])))}"
        yield (
            f"{claim} is claimed, but the Jacobian is {evaluation.jacobian(leaf)[rows[i], j]:.6g} at {path}"
            f" ({int(wrong.sum())} such entries): drop the claim, or mend the module"
        )


STRUCTURE = Check(
    name="structure",
    run=lambda evaluation, leaf: check_structure(evaluation),
    applies=lambda module, is_example: not is_example and bool(module.jacobian or module.independent),
    probe=True,
    summary="the Jacobian is zero where the module claims so",
    what="""\
takes the claims `jacobian = "diagonal"` (an output entry depends on the same entry of each input only) and
`independent = ("N",)` (the slices along N do not influence each other), and looks for entries of the Jacobian where
these say that there are none.""",
    why="""\
a sample that reads its neighbours in the batch trains well, and is worth nothing when it is used alone; and a
claim that does not hold makes every method wrong that relies on it.""",
    bug="""\
@gradcheck.register
class module(gradcheck.Module):
    inputs, outputs, independent = {"x": real("N D")}, {"a": "N D"}, ("N",)

    def forward(self, x):
        return x - x.mean(axis=0), None

    def backward(self, saved, a_bar):
        return {"x": a_bar - a_bar.mean(axis=0)}""",
    fix="normalise over the axes of one sample, or drop the claim.",
)
