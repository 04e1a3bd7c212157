"""gradcheck on torch's own operators, in double and in single precision: `python benchmarks/torch_operators.py`.

Prints how many pass, what became of each of the others, and how long it took. In double precision they are verified at
the default threshold, in single precision, each in float32 itself, at 1e-4. What torch is known to get wrong is not
counted, and verified as well: it has to fail. `--only NAME` takes those with this in their name and prints their
reports, `--seed N` other arguments.

Needs torch and the tests beside it; the exit status tells whether none is rejected and at most 2 % are left open.
"""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measuring import machine
from gradcheck import Verdict
from gradcheck.surfaces.report import Report
from tests.plugins.torch.operators.row import Operator, torch
from tests.plugins.torch.operators.table import OPERATORS
from tests.plugins.torch.operators.wrong import WRONG

PRECISIONS = {"float64": False, "float32": True}
LEFT_OPEN = 0.02


@dataclass(frozen=True)
class Outcome:
    """What was said of an operator, and how long it took."""

    operator: Operator
    precision: str
    report: Report
    seconds: float

    @property
    def reasons(self) -> str:
        """What did not pass, in short."""
        failures = [check for _, check in self.report.verification.failures]
        return "; ".join(
            f"{check.check} {check.leaf}".strip() + f": {_first_line(check.message)}" for check in failures
        )


def _first_line(message: str) -> str:
    return message.partition("\n")[0].strip()[:100]


def outcomes(operators: Sequence[Operator], seed: int) -> Iterator[Outcome]:
    """Every operator in both precisions, but for what is known to be wrong in one."""
    for precision, single in PRECISIONS.items():
        for operator in operators:
            if not (single and operator.wrong_in_single):
                started = time.perf_counter()
                report = operator.report(single, seed)
                yield Outcome(operator, precision, report, time.perf_counter() - started)


def counts(found: Sequence[Outcome]) -> str:
    """One row a precision: how many of each verdict, and seconds."""
    rows = []
    for precision in PRECISIONS:
        own = [outcome for outcome in found if outcome.precision == precision]
        verdicts = Counter(outcome.report.verdict for outcome in own)
        rows.append([precision, len(own), *(verdicts[verdict] for verdict in Verdict), f"{_seconds(own):.1f}"])
    headers = ("precision", "operators", *(verdict.value for verdict in Verdict), "seconds")
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _seconds(found: Sequence[Outcome]) -> float:
    return sum(outcome.seconds for outcome in found)


def others(found: Sequence[Outcome]) -> str:
    """One row for each that does not pass."""
    rows = [
        (outcome.report.verdict.value, outcome.precision, outcome.operator.name, outcome.reasons)
        for outcome in found
        if outcome.report.verdict is not Verdict.PASS
    ]
    return tabulate(rows, ("verdict", "precision", "operator", "why"), tablefmt="github") if rows else "All pass."


def missed(seed: int) -> list[str]:
    """What torch gets wrong, and gradcheck does not see."""
    return [str(wrong) for wrong in WRONG if wrong.report(seed).verdict is not Verdict.FAIL]


def main() -> int:
    """Run everything and print; 1 if an operator is rejected, more than a few are left open, or a wrong one passes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="only operators with this in their name, with their reports")
    parser.add_argument("--seed", type=int, default=0, help="of the arguments")
    options = parser.parse_args()
    operators = [operator for operator in OPERATORS if options.only in operator.name]
    if not operators:
        parser.error("no operator found")
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about what is deprecated
        found, wrong = list(outcomes(operators, options.seed)), missed(options.seed)
    if options.only:
        print(*(outcome.report for outcome in found), sep="\n")
    print(f"{machine('numpy', 'torch')} · seed {options.seed}\n\n{counts(found)}\n\n{others(found)}\n")
    print(f"of {len(WRONG)} operators that torch gets wrong {len(WRONG) - len(wrong)} fail", *wrong)
    verdicts = Counter(outcome.report.verdict for outcome in found)
    rejected = verdicts[Verdict.FAIL] + verdicts[Verdict.ERROR]
    return int(bool(rejected or wrong or verdicts[Verdict.INCONCLUSIVE] > LEFT_OPEN * len(found)))


if __name__ == "__main__":
    sys.exit(main())
