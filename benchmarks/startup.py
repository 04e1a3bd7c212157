"""What gradcheck costs those who do not use it: `python benchmarks/startup.py`.

Measures, alternating so that both sides see the same machine:
- an empty pytest run with the plugin, against the same run without; no other plugin is loaded in either,
  since what those take differs more from run to run than what is to be measured;
- `import gradcheck` together with numpy, against `import numpy` alone.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from tabulate import tabulate

REPETITIONS = 25


def seconds(command: Sequence[str], folder: str) -> float:
    """Wall-clock time of one process."""
    started = time.perf_counter()
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return time.perf_counter() - started


def compare(name: str, plain: Sequence[str], ours: Sequence[str], limit_ms: float) -> tuple[str, ...]:
    """Run two commands in turn; one row with the medians and the median of the differences."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = [(seconds(plain, folder), seconds(ours, folder)) for _ in range(REPETITIONS)]
    before, after = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
    added = statistics.median((b - a) * 1e3 for a, b in pairs)
    verdict = "yes" if added < limit_ms else "NO"
    return (name, f"{before:.0f}", f"{after:.0f}", f"{added:+.1f}", f"{limit_ms:.0f}", verdict)


def main() -> None:
    """Measure and print the table."""
    python = sys.executable
    pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    rows = [
        compare("empty pytest run", pytest, [*pytest, "-p", "gradcheck.plugins.pytest_plugin"], 50),
        compare("import", [python, "-c", "import numpy"], [python, "-c", "import numpy, gradcheck"], 100),
    ]
    print(tabulate(rows, ("", "without, ms", "with, ms", "added, ms", "limit, ms", "within")))
    print(f"medians of {REPETITIONS} alternating runs, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
