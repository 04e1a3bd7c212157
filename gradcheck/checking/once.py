"""What is found out about a leaf once, and kept as long as the evaluation."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from gradcheck.checking.evaluation import Evaluation

T = TypeVar("T")


def once(judge: Callable[[Evaluation, str], T]) -> Callable[[Evaluation, str], T]:
    """Let a function of an evaluation and a leaf be computed once, and its result live as long as the evaluation."""

    @wraps(judge)
    def remembering(evaluation: Evaluation, leaf: str) -> T:
        key = (judge.__qualname__, leaf)
        if key not in evaluation.remembered:
            evaluation.remembered[key] = judge(evaluation, leaf)
        found: T = evaluation.remembered[key]
        return found

    return remembering
