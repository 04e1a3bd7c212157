"""Results as plain data: dicts, lists, strings and numbers; NaN and infinities are strings, since JSON has none."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from gradcheck.algebra.strides import strides_of
from gradcheck.values.aliases import Array
from gradcheck.values.entry import Entry
from gradcheck.values.picture import Picture, StepCurve
from gradcheck.values.results import CaseResult, CheckResult, GradientEvidence


def case_as_data(case: CaseResult) -> dict[str, Any]:
    """One case with all its checks."""
    return {
        "id": case.id,
        "module": case.module,
        "case": case.case,
        "source": asdict(case.source),
        "verdict": case.verdict.value,
        "seconds": round(case.seconds, 6),
        "checks": [check_as_data(check) for check in case.checks],
    }


def check_as_data(check: CheckResult) -> dict[str, Any]:
    """One result."""
    return {
        "check": check.check,
        "leaf": check.leaf or None,
        "verdict": check.verdict.value,
        "message": check.message,
        "diagnoses": [asdict(diagnosis) for diagnosis in check.diagnoses],
        "notes": list(check.notes),
        "detail": check.detail,
        "call": {leaf: _array(array) for leaf, array in check.call.items()},
        "replay": check.replay,
        "mutants": None if check.mutants is None else asdict(check.mutants),
        "evidence": None if check.evidence is None else _evidence(check.evidence),
    }


def _evidence(evidence: GradientEvidence) -> dict[str, Any]:
    return {
        "leaf": evidence.leaf,
        "role": evidence.role,
        "shape": list(evidence.shape),
        "dtype": evidence.dtype,
        "scale": _number(evidence.scale),
        "relative_error": _number(evidence.relative_error),
        "numerical_error": _number(evidence.numerical_error),
        "delta": _number(evidence.delta),
        "ladder": [{"threshold": t, "verdict": verdict.value} for t, verdict in evidence.ladder],
        "strictest": evidence.strictest,
        "entries": evidence.entries,
        "failing": evidence.failing,
        "unresolved": evidence.unresolved,
        "kinks": evidence.kinks,
        "noise": _number(evidence.noise),
        "repeats": _number(evidence.repeats),
        "worst": [_entry(entry) for entry in evidence.worst],
        "coverage": {**asdict(evidence.coverage), "detectable": _number(evidence.coverage.detectable)},
        "picture": None if evidence.picture is None else _picture(evidence.picture),
    }


def _picture(picture: Picture) -> dict[str, Any]:
    data = {**asdict(picture), "scale": _number(picture.scale)}
    for name in ("shape", "analytical", "numerical", "gap", "histogram"):
        data[name] = list(data[name])
    return {**data, "marks": [list(mark) for mark in picture.marks], "curve": picture.curve and _curve(picture.curve)}


def _curve(curve: StepCurve) -> dict[str, Any]:
    return {
        name: [_number(number) for number in value] if isinstance(value, tuple) else _number(value)
        for name, value in asdict(curve).items()
        if name != "entry"
    } | {"entry": curve.entry}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "path": entry.path,
        "leaf": entry.leaf,
        "leaf_index": list(entry.leaf_index),
        "output": entry.output,
        "output_index": list(entry.output_index),
        "analytical": _number(entry.analytical),
        "numerical": _number(entry.numerical),
        "error": _number(entry.error),
        "half": _number(entry.half),
        "gap": _number(entry.gap),
    }


def _array(array: Array) -> dict[str, Any]:
    """Shape, dtype, strides in entries (null for C order) and entries in C order; a complex one as two numbers."""
    strides = strides_of(array)
    entries = np.stack([array.real, array.imag], axis=-1) if np.iscomplexobj(array) else array
    return {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "strides": None if strides is None else list(strides),
        "entries": [_number(entry) for entry in entries.ravel().tolist()],
    }


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
