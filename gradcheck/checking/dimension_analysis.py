"""Dimension analysis: dim(∂L/∂x) = dim(x), dim(∂L/∂θ) = dim(θ), and every symbol means one size."""

from gradcheck.calculus.calls import as_array
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.dimensions import Dimensions, bind
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict


def check_dimensions(evaluation: Evaluation) -> CheckResult:
    """Compare shapes and dtypes of outputs and gradients with the leaves and with the declarations."""
    problems = [*_output_problems(evaluation), *_gradient_problems(evaluation)]
    if problems:
        return CheckResult("dimensions", Verdict.FAIL, "\n".join(problems))
    leaves, outputs = evaluation.case.leaves, evaluation.forward.outputs
    empty = [name for name, array in {**leaves, **outputs}.items() if array.size == 0]
    trivial = f"; {', '.join(empty)} of size 0: passes trivially" if empty else ""
    constant = [name for name in leaves if name not in evaluation.differentiable]
    trivial += f"; not differentiated: {', '.join(constant)}" if constant else ""
    shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
    return CheckResult("dimensions", Verdict.PASS, f"outputs {shapes} and all gradients fit{trivial}")


def _output_problems(evaluation: Evaluation) -> list[str]:
    declared = evaluation.module.outputs
    outputs = evaluation.forward.outputs
    if not declared:
        return []
    if set(declared) != set(outputs):
        return [f"forward returned outputs {', '.join(outputs)}; declared are {', '.join(declared)}"]
    leaves = {name: leaf.dimensions for name, leaf in evaluation.module.leaves.items()}
    dimensions = {**leaves, **{name: Dimensions.parse(text) for name, text in declared.items()}}
    shapes = {name: array.shape for name, array in {**evaluation.case.leaves, **outputs}.items()}
    return [f"output {problem}" for problem in bind(dimensions, shapes)[1]]


def _gradient_problems(evaluation: Evaluation) -> list[str]:
    gradients, leaves = evaluation.gradients, evaluation.case.leaves
    wanted = evaluation.differentiable
    if not wanted:
        return [f"no leaf of {evaluation.module.name} is differentiable: there is no gradient to verify"]
    problems = [_problem(leaf, leaves[leaf], gradients) for leaf in wanted]
    problems += [
        f"backward returned a gradient for {leaf!r}, which {_why_none(leaf, leaves)}; expected gradients for"
        f" {', '.join(wanted) or 'no leaf'}"
        for leaf in gradients
        if leaf not in wanted and gradients[leaf] is not None
    ]
    return [problem for problem in problems if problem]


def _problem(leaf: str, value: Array, gradients: dict[str, object]) -> str:
    expected = f"expected an array of shape {value.shape}"
    if leaf not in gradients:
        return f"backward returned no gradient for {leaf!r}, only for {', '.join(gradients) or 'nothing'}; {expected}"
    given = gradients[leaf]
    if given is None:
        return f"backward returned None for {leaf!r}; {expected} (zeros if {leaf} has no influence)"
    gradient = as_array(given)
    if gradient is None:
        return f"the gradient of {leaf!r} is a {type(given).__name__} that is no array; {expected}"
    if gradient.shape != value.shape:
        return f"the gradient of {leaf!r} has shape {gradient.shape}; {expected}{_hint(gradient, value)}"
    if gradient.dtype.kind != value.dtype.kind:
        return f"the gradient of {leaf!r} has dtype {gradient.dtype}; expected {value.dtype}, as {leaf}"
    if gradient.dtype.itemsize < value.dtype.itemsize:
        return f"the gradient of {leaf!r} has dtype {gradient.dtype}, less precise than {leaf} ({value.dtype})"
    return ""


def _hint(gradient: Array, value: Array) -> str:
    """What may have been forgotten, where the shapes tell."""
    extra = gradient.ndim - value.ndim
    if extra > 0 and gradient.shape[extra:] == value.shape:
        axes = ", ".join(map(str, range(extra)))
        return f": the sum over axis {axes} is missing"
    return ": it is transposed" if gradient.shape == value.shape[::-1] else ""


def _why_none(leaf: str, leaves: Leaves) -> str:
    if leaf not in leaves:
        return "is no leaf"
    return f"has none: it holds {leaves[leaf].dtype} or is declared as labels, one_hot or mask"
