"""Results read back from the JSON in which ``as_data`` has written them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.algebra.strides import with_strides
from gradcheck.values.aliases import Array
from gradcheck.values.results import (
    CaseResult,
    CheckResult,
    Coverage,
    Diagnosis,
    Entry,
    GradientEvidence,
    MutationScore,
    Problem,
    Source,
)
from gradcheck.values.verdict import Verdict

Data = Mapping[str, Any]


def results_from_json(text: str) -> tuple[tuple[CaseResult, ...], tuple[Problem, ...]]:
    """The results that ``results_as_json`` has written."""
    data = json.loads(text)
    return tuple(_case(case) for case in data["cases"]), tuple(Problem(**problem) for problem in data["problems"])


def joined(cases: Iterable[CaseResult]) -> tuple[CaseResult, ...]:
    """Results of one case that were found out one by one, put together; modules and cases in order of appearance."""
    found: dict[tuple[str, str, str, str], CaseResult] = {}
    for case in cases:
        key = (case.source.target, case.source.file, case.module, case.case)
        if key in found:
            known = found[key]
            case = replace(known, checks=(*known.checks, *case.checks), seconds=known.seconds + case.seconds)
        found[key] = case
    modules: dict[tuple[str, str], list[CaseResult]] = {}
    for (_, file, module, _), case in found.items():
        modules.setdefault((file, module), []).append(case)
    return tuple(case for cases in modules.values() for case in cases)


def _case(data: Data) -> CaseResult:
    checks = tuple(_check(check) for check in data["checks"])
    return CaseResult(data["module"], data["case"], Source(**data["source"]), checks, data["seconds"])


def _check(data: Data) -> CheckResult:
    return CheckResult(
        check=data["check"],
        verdict=Verdict(data["verdict"]),
        message=data["message"],
        leaf=data["leaf"] or "",
        detail=data["detail"],
        evidence=None if data["evidence"] is None else _evidence(data["evidence"]),
        diagnoses=tuple(Diagnosis(**diagnosis) for diagnosis in data["diagnoses"]),
        notes=tuple(data["notes"]),
        call={name: _array(array) for name, array in data["call"].items()},
        replay=data["replay"],
        mutants=None if data["mutants"] is None else MutationScore(**data["mutants"]),
    )


def _evidence(data: Data) -> GradientEvidence:
    return GradientEvidence(
        leaf=data["leaf"],
        role=data["role"],
        shape=tuple(data["shape"]),
        dtype=data["dtype"],
        scale=float(data["scale"]),
        relative_error=float(data["relative_error"]),
        numerical_error=float(data["numerical_error"]),
        delta=float(data["delta"]),
        ladder=tuple((rung["threshold"], Verdict(rung["verdict"])) for rung in data["ladder"]),
        entries=data["entries"],
        failing=data["failing"],
        unresolved=data["unresolved"],
        kinks=data["kinks"],
        noise=float(data["noise"]),
        repeats=float(data["repeats"]),
        worst=tuple(_entry(entry) for entry in data["worst"]),
        coverage=Coverage(**{**data["coverage"], "detectable": float(data["coverage"]["detectable"])}),
    )


def _entry(data: Data) -> Entry:
    return Entry(
        leaf=data["leaf"],
        leaf_index=tuple(data["leaf_index"]),
        output=data["output"],
        output_index=tuple(data["output_index"]),
        analytical=float(data["analytical"]),
        numerical=float(data["numerical"]),
        error=float(data["error"]),
        half=float(data["half"]),
    )


def _array(data: Data) -> Array:
    parts = np.array([float(entry) if isinstance(entry, str) else entry for entry in data["entries"]])
    if np.issubdtype(data["dtype"], np.complexfloating):
        parts = parts.astype(float).view(complex)
    array = parts.astype(data["dtype"]).reshape(data["shape"])
    return array if data["strides"] is None else with_strides(array, tuple(data["strides"]))
