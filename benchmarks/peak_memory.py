"""The memory that one check of Linear N→N takes for itself: `python benchmarks/peak_memory.py gradcheck|torch [N]`.

Prints MiB: the most that was resident while it ran (VmHWM of Linux, which is set back before), less what was resident
after the same check of Linear 4→4, which has imported everything. Each is to be run in a process of its own.
"""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

# Before numpy is imported, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.subjects import Subject, linear

_STATUS = Path("/proc/self/status")


def peak(checker: str, size: int) -> float | None:
    """MiB in a process of its own; None where the system does not tell."""
    if not _STATUS.exists():
        return None
    command = [sys.executable, __file__, checker, str(size)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def _check(subject: Subject, checker: str) -> None:
    if checker == "torch":
        subject.by_torch()
    else:
        subject.by_gradcheck("grouped")


def _kibibytes(key: str) -> int:
    return int(re.findall(rf"{key}:\s*(\d+) kB", _STATUS.read_text(encoding="ascii"))[0])


def _measured(checker: str, size: int) -> float:
    _check(linear(4), checker)
    subject = linear(size)
    assert subject.point  # drawn now
    before = _kibibytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM begins anew
    _check(subject, checker)
    return (_kibibytes("VmHWM") - before) / 1024


if __name__ == "__main__":
    if sys.argv[1] == "torch":
        import_module("torch").set_num_threads(1)
    print(f"{_measured(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 128):.2f}")
