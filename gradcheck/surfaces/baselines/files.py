"""Baselines as files: JSON of which docs/baseline.schema.json is the schema, validated when it is read."""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from gradcheck.surfaces.baselines.baseline import Baseline, ModuleRecord, Record
from gradcheck.surfaces.formats.outputs import Output, require_writable, write_file
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.verdict import LOOSEST_THRESHOLD, STRICTEST_THRESHOLD, Verdict

SCHEMA = "gradcheck-baseline/1"
_FAMILY = SCHEMA.partition("/")[0]
_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_NAMES = {"str": "a string", "list": "a list", "dict": "an object"}
_REQUIRED = {"schema", "gradcheck", "threshold", "modules"}
_OF_MODULE = {"module", "file", "seconds", "records"}
_OF_RECORD = {"case", "check", "leaf", "verdict", "error", "coordinates", "one_by_one", "projected"}

T = TypeVar("T")


def write_baseline(file: Path, baseline: Baseline, option: str) -> None:
    """Write a baseline, as a whole or not at all; raise ConfigurationError if it cannot be written."""
    write_file(file, render_baseline(baseline), option)


def require_baseline_file(file: Path, option: str) -> None:
    """Raise ConfigurationError if a baseline cannot be written there, or if what is there is something else."""
    require_writable([Output("json", file)], option)
    if file.exists() and file.stat().st_size:
        read_baseline(file, option)


def render_baseline(baseline: Baseline) -> str:
    """A line for every check, so that changes of the file can be read where it is committed."""
    head = {"schema": SCHEMA, "gradcheck": baseline.gradcheck, "threshold": baseline.threshold}
    modules = ",\n".join(_module_lines(module) for module in baseline.modules)
    fields = "".join(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in head.items())
    return f'{{\n{fields} "modules": [\n{modules}\n ]\n}}\n'


def _module_lines(module: ModuleRecord) -> str:
    head = {"module": module.module, "file": module.file, "seconds": module.seconds}
    records = ",\n".join(f"   {_dumped(_record_data(record))}" for record in module.records)
    return f'  {_dumped(head)[:-1]}, "records": [\n{records}\n  ]}}'


def _record_data(record: Record) -> dict[str, Any]:
    data: dict[str, Any] = {"case": record.case, "check": record.check, "leaf": record.leaf}
    data["verdict"] = record.verdict.value
    if record.error is not None:
        data["error"] = record.error if math.isfinite(record.error) else "inf"
        data |= {name: getattr(record, name) for name in ("coordinates", "one_by_one", "projected")}
    return data


def _dumped(data: Any) -> str:
    return json.dumps(data, allow_nan=False)


def read_baseline(file: Path, option: str = "--against") -> Baseline:
    """Read and validate a baseline.

    Arguments:
        option: what the user calls the file.

    Raises ConfigurationError that says what is wrong with it: missing, no JSON, of something else, damaged, or newer.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{option} {file}: there is no such file; make it with --save {file}") from error
    except (OSError, ValueError) as error:  # also a name that no file can have
        raise ConfigurationError(f"{option} {file}: cannot be read: {error}") from error
    try:
        return _baseline(json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{option} {file}: is no baseline that can be used: {error}; take it from version control, or make it anew"
            f" in another place with --save"
        ) from error


def _baseline(data: Any) -> Baseline:
    if not isinstance(data, dict) or not str(data.get("schema", "")).startswith(f"{_FAMILY}/"):
        raise ValueError(f"it was written by something else; expected an object with {{'schema': {SCHEMA!r}}}")
    if data["schema"] != SCHEMA:
        raise ValueError(f"it is of the version {data['schema']!r}; this gradcheck reads {SCHEMA!r}: use another one")
    _require_keys(data, _REQUIRED, _REQUIRED, "the baseline")
    threshold = _number(data["threshold"], "threshold")
    if not STRICTEST_THRESHOLD <= threshold <= LOOSEST_THRESHOLD:
        raise ValueError(f"threshold is {threshold!r}; expected 1e-7 to 1e-4")
    modules = tuple(_module(item, f"modules[{i}]") for i, item in enumerate(_typed(data["modules"], list, "modules")))
    return Baseline(_typed(data["gradcheck"], str, "gradcheck"), threshold, modules)


def _module(data: Any, place: str) -> ModuleRecord:
    _require_keys(_typed(data, dict, place), _OF_MODULE, _OF_MODULE, place)
    records = _typed(data["records"], list, f"{place}.records")
    if not records:
        raise ValueError(f"{place}.records is empty")
    return ModuleRecord(
        _typed(data["module"], str, f"{place}.module"),
        _typed(data["file"], str, f"{place}.file"),
        _number(data["seconds"], f"{place}.seconds"),
        tuple(_record(item, f"{place}.records[{number}]") for number, item in enumerate(records)),
    )


def _record(data: Any, place: str) -> Record:
    numbers = {"error", "coordinates", "one_by_one", "projected"}
    present = _OF_RECORD if numbers & set(_typed(data, dict, place)) else _OF_RECORD - numbers
    _require_keys(data, present, present, place)
    verdict = _VERDICTS.get(_typed(data["verdict"], str, f"{place}.verdict"))
    if verdict is None:
        raise ValueError(f"{place}.verdict is {data['verdict']!r}; expected one of {', '.join(_VERDICTS)}")
    case, check, leaf = (_typed(data[name], str, f"{place}.{name}") for name in ("case", "check", "leaf"))
    if "error" not in data:
        return Record(case, check, leaf, verdict)
    error = math.inf if data["error"] == "inf" else _number(data["error"], f"{place}.error")
    return Record(case, check, leaf, verdict, error, *_counts(data, place))


def _counts(data: dict[str, Any], place: str) -> Iterator[int]:
    for name in ("coordinates", "one_by_one", "projected"):
        if isinstance(data[name], bool) or not isinstance(data[name], int) or data[name] < 0:
            raise ValueError(f"{place}.{name} is {data[name]!r}; expected a whole number >= 0")
        yield data[name]


def _require_keys(data: dict[str, Any], required: set[str], known: set[str], place: str) -> None:
    missing, unknown = sorted(required - set(data)), sorted(set(data) - known)
    if missing or unknown:
        told = [f"misses {', '.join(missing)}"] if missing else []
        told += [f"has the unknown {', '.join(map(repr, unknown))}"] if unknown else []
        raise ValueError(f"{place} {' and '.join(told)}")


def _typed(value: Any, kind: type[T], place: str) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"{place} is {value!r:.60}; expected {_NAMES[kind.__name__]}")
    return value


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{place} is {value!r:.60}; expected a number >= 0")
    return float(value)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that is there twice hides what came first, as after a merge that went wrong."""
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError(f"a key is there twice: {[name for name, _ in pairs]!r:.80}")
    return data


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
