"""Results read back from the plain data that ``encoding`` has made of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.algebra.strides import with_strides
from gradcheck.values.aliases import Array
from gradcheck.values.entry import Entry
from gradcheck.values.picture import Picture, StepCurve
from gradcheck.values.results import (
    CaseResult,
    CheckResult,
    Coverage,
    Diagnosis,
    GradientEvidence,
    MutationScore,
    Source,
)
from gradcheck.values.verdict import Verdict

Data = Mapping[str, Any]


def case_from_data(data: Data) -> CaseResult:
    """What ``case_as_data`` has made data of."""
    checks = tuple(check_from_data(check) for check in data["checks"])
    return CaseResult(data["module"], data["case"], Source(**data["source"]), checks, data["seconds"])


def check_from_data(data: Data) -> CheckResult:
    """What ``check_as_data`` has made data of."""
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
    if data["role"] not in ("input", "parameter"):
        raise ValueError(f"role is {data['role']!r}: expected input or parameter")
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
        picture=None if data.get("picture") is None else _picture(data["picture"]),
    )


def _picture(data: Data) -> Picture:
    return Picture(
        shape=(data["shape"][0], data["shape"][1]),
        columns=data["columns"],
        scale=float(data["scale"]),
        analytical=tuple(data["analytical"]),
        numerical=tuple(data["numerical"]),
        gap=tuple(data["gap"]),
        marks=tuple((row, column) for row, column in data["marks"]),
        histogram=tuple(data["histogram"]),
        curve=None if data["curve"] is None else _curve(data["curve"]),
    )


def _curve(data: Data) -> StepCurve:
    return StepCurve(
        entry=data["entry"],
        steps=tuple(map(float, data["steps"])),
        errors=tuple(map(float, data["errors"])),
        rounding=tuple(map(float, data["rounding"])),
        first_step=float(data["first_step"]),
        gap=float(data["gap"]),
        stated=float(data["stated"]),
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
    dtype, strides = np.dtype(data["dtype"]), data["strides"]
    if dtype.kind not in "biufc":
        raise ValueError(f"dtype is {data['dtype']!r}: expected one of numbers")
    with np.errstate(all="raise"):
        parts = np.array([float(entry) if isinstance(entry, str) else entry for entry in data["entries"]])
        if dtype.kind == "c":
            parts = parts.astype(float).view(complex)
        array = parts.astype(dtype).reshape(data["shape"])
    if strides is None:
        return array
    # As strides_of gives them: memory with gaps of one entry at most, whatever a damaged file says.
    if (
        0 in strides
        or sum(abs(stride) * (size - 1) for stride, size in zip(strides, array.shape, strict=True)) > 2 * array.size
    ):
        raise ValueError(f"strides are {strides}: expected those of an array of shape {array.shape}")
    return with_strides(array, tuple(strides))
