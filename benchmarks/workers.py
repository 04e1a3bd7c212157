"""What worker processes gain and cost: `python benchmarks/workers.py [--output FILE.md]`.

Both are run in turn on one machine, and the fastest of several rounds counts. Needs loky, and two cores that nobody
else uses.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Before numpy is imported, which reads them; the workers have one thread each.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tabulate import tabulate

from benchmarks.measuring import at_least, fastest, machine, milliseconds
from gradcheck.running.engines import processes
from gradcheck.running.plan import Plan, plan_targets
from gradcheck.running.run import run
from gradcheck.values.settings import Settings

TARGET = 1.7
MODULES = Path(__file__).with_name("slow_modules.py")


def report(*options: str) -> Callable[[], object]:
    """The command line in a process of its own; raises unless everything passes."""
    command = [sys.executable, "-m", "gradcheck", "report", str(MODULES), "--checks", "gradient", "--quiet", *options]
    return lambda: subprocess.run(command, capture_output=True, check=True)


def gain_table() -> str:
    """Seconds of a report on a module that is a loop in Python, here and by processes."""
    here, one, two = fastest(report(), report("-j", "1"), report("-j", "2"))
    rows = [
        ("this process", f"{here:.2f}", "", "", ""),
        ("-j 1", f"{one:.2f}", f"{here / one:.2f}", "–", "–"),
        ("-j 2", f"{two:.2f}", *at_least(here / two, TARGET)),
    ]
    headers = ("carried out by", "seconds", "× faster", "target", "met")
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def cost_table() -> str:
    """What a plan of tiny units takes: to begin with, and for each unit more."""
    few, many = (_planned(target) for target in ("few", "many"))
    rows = []
    for name, workers in (("this process", 0), ("loky, 1 worker", 1), ("loky, 2 workers", 2)):
        short, long = fastest(_carrying_out(few, workers), _carrying_out(many, workers))
        each = (long - short) / (len(many.items) - len(few.items))
        rows.append((name, milliseconds(short - each * len(few.items)), milliseconds(each)))
    headers = ("carried out by", "to begin with, ms", "each unit, ms")
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _planned(target: str) -> Plan:
    return plan_targets([f"{MODULES}:{target}"], (), Settings(checks=("gradient",)))


def _carrying_out(planned: Plan, workers: int) -> Callable[[], object]:
    def carry_out() -> None:
        if not workers:
            assert len(list(run(planned)))
            return
        with processes(workers) as engine:
            assert len(list(run(planned, engine)))

    return carry_out


def page() -> str:
    """Both tables in Markdown."""
    return f"""\
`python benchmarks/workers.py` · {machine("numpy", "loky")} · one thread a process

`gradcheck report benchmarks/slow_modules.py --checks gradient`, a module that is a loop in Python, start of Python
included:

{gain_table()}

What workers cost: a check of one number, which is next to nothing, as a unit of its own ({len(_planned("many").items)}
of them beside {len(_planned("few").items)}):

{cost_table()}
"""


def main() -> None:
    """Measure; print the tables, or write them to a file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    options = parser.parse_args()
    text = page()
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
