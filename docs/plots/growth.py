"""Draw how long a check of Linear N→N takes against N, for gradcheck's grouped mode and for torch.

    python docs/plots/growth.py [FILE.svg]

Draws what `python benchmarks/speed.py --growth docs/plots/growth.json` has measured, into docs/plots/growth.svg.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

MEASURED = Path(__file__).with_suffix(".json")
LABELS = {"gradcheck": "gradcheck, grouped", "torch": "torch.autograd.gradcheck"}


def draw(file: Path) -> None:
    """Write the figure."""
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "gradcheck"
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(5.5, 3.8))
    for checker, seconds in json.loads(MEASURED.read_text(encoding="utf-8")).items():
        sizes, times = np.array([int(size) for size in seconds]), np.array(list(seconds.values()))
        exponent, factor = np.polyfit(np.log(sizes), np.log(times), 1)
        (line,) = axis.loglog(sizes, times, "o", label=f"{LABELS[checker]}: grows as N^{exponent:.1f}")
        axis.loglog(sizes, np.exp(factor) * sizes**exponent, lw=1, color=line.get_color())
    axis.set(title="Linear N→N, batch 4, one thread", xlabel="N", ylabel="seconds")
    axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
