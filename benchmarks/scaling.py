"""All measurements of speed and scale, as one page: `python benchmarks/scaling.py --output docs/benchmarks.md`.

See the scripts for what each of them does: speed, torch_function, jax_mlp, workers, projected.
"""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path

# Before numpy is imported, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import jax_mlp, projected, speed, torch_function, workers

_HEAD = """\
# Benchmarks

Speed and scale, measured by one command, `make scaling`, which writes this page. Ratios are of calls that were run in
turn in one process, fastest call each; *met* says whether what we set out for is reached. How the modes work, and what
they cost by their nature, is in [Speed and scale](scaling.md); what they catch, beside other checkers, in
[the duel](duel.md).
"""


def page(found: speed.Growth) -> str:
    """The page."""
    sections = (
        ("One process", speed.page(found)),
        ("![Time by the size of a layer](plots/growth.svg)", ""),
        ("torch and JAX", torch_function.page() + "\n" + jax_mlp.page(jax_mlp.in_turn())),
        ("Several processes", workers.page()),
        ("Projections", projected.page()),
    )
    parts = (f"## {title}\n\n{text}" if text else f"{title}\n" for title, text in sections)
    return "\n".join([_HEAD, *parts])


def main() -> None:
    """Measure, and write the page and the numbers of the plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--growth", type=Path, required=True, help="JSON file to write for docs/plots/growth.py")
    options = parser.parse_args()
    import_module("torch").set_num_threads(1)
    found = speed.growth()
    options.growth.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    options.output.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
