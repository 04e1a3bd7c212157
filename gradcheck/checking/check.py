"""A check: one property that is verified, and the text that explains it."""

from collections.abc import Callable
from dataclasses import dataclass

from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.module import Module
from gradcheck.values.results import CheckResult


@dataclass(frozen=True)
class Check:
    """One property, how it is verified, and what a user should know about it.

    Arguments:
        name: its name in reports and on the command line.
        run: carries it out for a leaf, or for the module as a whole ("").
        summary: what holds if it passes, in one line.
        what, why: what is done, and why it matters.
        bug: the smallest ``module`` that it catches, as Python code.
        fix: what to do when it fails.
        applies: whether there is anything to check for this module, at an example or elsewhere.
        per_leaf: whether it is carried out for every differentiable leaf.
        probe: whether it looks at behaviour beyond the derivative, and may be waived with a reason.
        survey: whether it looks at a module over many calls, and is carried out on request only, once a module.
    """

    name: str
    run: Callable[[Evaluation, str], CheckResult]
    summary: str
    what: str
    why: str
    bug: str
    fix: str
    applies: Callable[[Module, bool], bool] = lambda module, is_example: not is_example
    per_leaf: bool = False
    probe: bool = False
    survey: bool = False
