"""gradcheck and its peers on every specimen of the corpus: `python benchmarks/duel.py`.

Each checker is given each correct module and each wrong backward at the points of several seeds, at its own
defaults, in one process with one thread. Whatever a checker raises counts as a rejection: the mismatch that it is there
to report as well as an error of the framework around it. Run it where torch, jax, autograd and scipy are installed.
"""

import argparse
import logging
import os
import platform
import statistics
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

# Before numpy is imported, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", JAX_PLATFORMS="cpu")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from benchmarks.cost import cost_table
from benchmarks.peers import CHECKERS, Checker, Outcome, Trial
from tests.corpus.collection import SPECIMENS
from tests.corpus.specimen import Bug, Specimen

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Record:
    """One check: who checked what at which seed, what it said and why, how long it took."""

    checker: str
    specimen: Specimen
    bug: Bug | None
    seed: int
    outcome: Outcome
    milliseconds: float
    reason: str

    @property
    def kind(self) -> str:
        """The kind of the bug, that of its specimen unless it says otherwise."""
        return (self.bug.kind if self.bug else "") or self.specimen.kind

    @property
    def twin(self) -> tuple[str, str, int]:
        """What a mutant and its correct module have in common."""
        return (self.checker, self.specimen.name, self.seed)


def is_sound(specimen: Specimen) -> bool:
    """Whether the correct module can be run at the points: what cannot is nobody's to judge, and is left out."""
    try:
        for seed in SEEDS:
            point = specimen.point(np.random.default_rng(seed))
            trial = Trial(specimen.forward, specimen.backward, point, specimen.threshold, seed)
            trial.backward(trial.leaves, trial.outputs)
    except Exception as error:
        print(f"warning: specimen {specimen.name} left out: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True


def record(checker: Checker, specimen: Specimen, bug: Bug | None, seed: int) -> Record:
    """Carry out one check; nothing that it raises gets out."""
    outcome, reason, started = Outcome.CAUGHT, "", time.perf_counter()
    try:
        backward = bug.backward if bug else specimen.backward
        point = specimen.point(np.random.default_rng(seed))
        trial = Trial(specimen.forward, backward, point, specimen.threshold, seed)
        expressible = checker.expresses(trial)
        started = time.perf_counter()
        outcome = checker.run(trial) if expressible else Outcome.INEXPRESSIBLE
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    return Record(checker.name, specimen, bug, seed, outcome, (time.perf_counter() - started) * 1e3, reason)


def duel(specimens: Sequence[Specimen]) -> list[Record]:
    """Every checker on every specimen and bug at every seed."""
    for checker in CHECKERS:  # what is only done the first time is not to be measured
        record(checker, specimens[0], None, 0)
    records: list[Record] = []
    for specimen in tqdm(specimens, disable=None):
        for seed in SEEDS:
            for bug in (None, *specimen.bugs):
                records += [record(checker, specimen, bug, seed) for checker in CHECKERS]
        import_module("jax").clear_caches()  # one compiled callback a check would fill the memory
    return records


def share(part: int, whole: int) -> str:
    """A percentage with its counts."""
    return f"{100 * part / whole:.1f} % ({part}/{whole})" if whole else "–"


def shares(records: Iterable[Record], *outcomes: Outcome, of: Sequence[Outcome] = tuple(Outcome)) -> list[str]:
    """The percentage of each outcome among those of the given kinds."""
    counts = Counter(record.outcome for record in records)
    return [share(counts[outcome], sum(counts[each] for each in of)) for outcome in outcomes]


def summary(records: Sequence[Record]) -> str:
    """One row a checker."""
    asked = [outcome for outcome in Outcome if outcome is not Outcome.INEXPRESSIBLE]
    apart, rows = told_apart(records), []
    for checker in CHECKERS:
        own = [record for record in records if record.checker == checker.name]
        mutants = [record for record in own if record.bug]
        ordinary, difficult = (
            [r for r in own if r.bug is None and bool(r.specimen.hard) is hard] for hard in (False, True)
        )
        times = [record.milliseconds for record in own if record.outcome in asked]
        rows.append([
            f"{checker.name}: {checker.rule}",
            *shares(mutants, Outcome.CAUGHT, Outcome.PASSED, Outcome.INCONCLUSIVE, Outcome.INEXPRESSIBLE),
            share(sum(id(r) in apart for r in mutants), len(mutants)),
            *shares(ordinary, Outcome.CAUGHT, Outcome.INCONCLUSIVE, of=asked),
            *shares(difficult, Outcome.CAUGHT, Outcome.INCONCLUSIVE, of=asked),
            f"{statistics.median(times):.1f}" if times else "–",
        ])  # fmt: skip
    headers = (
        "checker: rule", "mutants caught", "mutants passed", "mutants inconclusive", "mutants it cannot express",
        "told apart", "correct rejected", "correct inconclusive",
        "hard correct rejected", "hard correct inconclusive", "median ms",
    )  # fmt: skip
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def told_apart(records: Sequence[Record]) -> set[int]:
    """Identities of the records of mutants that were caught by a checker that passed the correct module."""
    passed = {record.twin for record in records if record.bug is None and record.outcome is Outcome.PASSED}
    return {id(r) for r in records if r.bug and r.outcome is Outcome.CAUGHT and r.twin in passed}


def by_kind(records: Sequence[Record]) -> str:
    """One row a kind of bug, one column a checker: mutants caught and told apart, a dash where it can express none."""
    apart, rows = told_apart(records), []
    mutants = [record for record in records if record.bug]
    for kind in sorted({record.kind for record in mutants}):
        row, count = [kind], 0
        for checker in CHECKERS:
            own = [record for record in mutants if record.kind == kind and record.checker == checker.name]
            caught, count = sum(record.outcome is Outcome.CAUGHT for record in own), len(own)
            nothing = all(record.outcome is Outcome.INEXPRESSIBLE for record in own)
            both = f"{100 * caught / count:.0f} % ({100 * sum(id(r) in apart for r in own) / count:.0f} %)"
            row.append("–" if nothing else both)
        rows.append([*row, str(count)])
    headers = ("kind of bug", *(checker.name for checker in CHECKERS), "mutants × seeds")
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def page(specimens: Sequence[Specimen], records: Sequence[Record]) -> str:
    """The whole page in Markdown."""
    packages = ("numpy", *dict.fromkeys(checker.package for checker in CHECKERS))
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    hard = sum(bool(specimen.hard) for specimen in specimens)
    bugs = sum(len(specimen.bugs) for specimen in specimens)
    seeds = ", ".join(map(str, SEEDS))
    return f"""\
# gradcheck and its peers on the corpus

`make duel` (`python benchmarks/duel.py --output docs/duel.md`) · Python {platform.python_version()}, {versions} ·
seeds {seeds} · {len(specimens)} specimens ({hard} of them hard), {bugs} mutants

Each checker runs at its own defaults, on the same numpy functions, in one process with one thread. Whatever it raises
is a rejection, an error of the framework around it as well as its own mismatch. Shares of mutants are of all mutants
times seeds; shares of correct modules are of those that the checker can express. A checker that rejects a correct
module catches the module's mutants for nothing: "told apart" are mutants caught where the correct module passed.
The corpus (`tests/corpus/`) is ours, and dwells on what is hard; ordinary modules hardly tell the checkers apart.

{summary(records)}

Mutants caught (told apart), by kind of bug:

{by_kind(records)}

What gradcheck costs in calls of the module, repetitions and confirmations counted (`python benchmarks/cost.py`):

{cost_table(specimens, SEEDS)}
"""


def log(records: Iterable[Record]) -> str:
    """One line for every check that went against the checker: mutants not caught, correct modules not passed."""
    lines = []
    for r in records:
        if r.outcome is not (Outcome.CAUGHT if r.bug else Outcome.PASSED):
            subject = r.bug.title if r.bug else "(correct)"
            reason = " ".join(r.reason.split())[:160]
            lines.append(f"{r.checker}\t{r.outcome.value}\t{r.specimen.name}\t{subject}\t{r.seed}\t{reason}\n")
    return "".join(sorted(lines))


def main() -> None:
    """Run the duel; print the tables or write them to a file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    parser.add_argument("--log", type=Path, help="tab-separated file for every check that went against its checker")
    parser.add_argument("--limit", type=int, help="only so many specimens, spread over the corpus")
    parser.add_argument("--only", default="", help="only specimens with this in their name")
    options = parser.parse_args()
    logging.disable()  # jax logs the traceback of every callback that raises
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        specimens = [specimen for specimen in SPECIMENS if options.only in specimen.name and is_sound(specimen)]
        if options.limit:
            specimens = specimens[:: max(1, len(specimens) // options.limit)][: options.limit]
        if not specimens:
            parser.error("no specimen found")
        records = duel(specimens)
    text = page(specimens, records)
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    if options.log:
        options.log.write_text(log(records), encoding="utf-8")


if __name__ == "__main__":
    main()
