"""Two runs compared: what is worse than in the baseline, what is better, and what fails in both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradcheck.surfaces.baselines.baseline import Baseline, ModuleRecord, Record
from gradcheck.values.settings import Settings
from gradcheck.values.verdict import Verdict

# An error a thousand times smaller than the strictest threshold is rounding, which differs between machines.
_LEAST_ERROR = 1e-10
_DECADE = 10.0
# A module that takes less than this is not slower in a way that anybody would notice, whatever the factor.
_LEAST_SECONDS, _SLOWER = 0.5, 2.0
# From better to worse; what is waived now and passed before is not verified any more.
_ORDER = (Verdict.PASS, Verdict.WAIVED, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR)


@dataclass(frozen=True)
class Change:
    """One difference between two runs.

    Arguments:
        what: verdict, margin, coverage, time, gone or new.
        place: the module, or the check as the plan calls it.
        before, after: what it was and what it is, in words.
    """

    what: str
    place: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """Everything that is different from a baseline.

    Arguments:
        compared: how many checks are in both.
        known: the checks that do not pass, as they did not before.
        remarks: what a reader has to know of how the two runs were made.
    """

    regressions: tuple[Change, ...] = ()
    improvements: tuple[Change, ...] = ()
    compared: int = 0
    known: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def compare_runs(before: Baseline, now: Baseline, settings: Settings, *, times: bool = True) -> Comparison:
    """Compare a run with a baseline, module by module.

    Arguments:
        settings: which verdicts count as success.
        times: whether a module that takes longer is a regression.
    """
    pairs, gone, new = _paired(before, now)
    regressions = [Change("gone", m.module, _counted(m.records), "not verified any more") for m in gone]
    improvements: list[Change] = []
    known: list[str] = []
    for module in new:
        failing = [record for record in module.records if not settings.accepts(record.verdict)]
        regressions += [_new(module, record) for record in failing]
        passing = len(module.records) - len(failing)
        improvements += [Change("new", module.module, "", _counted(module.records))] if passing else []
    for old, current in pairs:
        worse, better = _changes(old, current, settings)
        slower, faster = _times(old, current) if times else ([], [])
        regressions += [*worse, *slower]
        improvements += [*better, *faster]
        known += _known(old, current, settings)
    compared = sum(len({r.key for r in old.records} & {r.key for r in current.records}) for old, current in pairs)
    return Comparison(tuple(regressions), tuple(improvements), compared, tuple(known), tuple(_remarks(before, now)))


Pair = tuple[ModuleRecord, ModuleRecord]


def _paired(before: Baseline, now: Baseline) -> tuple[list[Pair], list[ModuleRecord], list[ModuleRecord]]:
    """The modules that are in both, by name and file, or else by name: a file may be moved."""
    old = {(m.module, m.file): m for m in before.modules}
    current = {(m.module, m.file): m for m in now.modules}
    pairs = [(old.pop(key), current.pop(key)) for key in list(current) if key in old]
    for key in list(current):
        moved = next((other for other in old if other[0] == key[0]), None)
        if moved is not None:
            pairs.append((old.pop(moved), current.pop(key)))
    return pairs, list(old.values()), list(current.values())


def _changes(before: ModuleRecord, now: ModuleRecord, settings: Settings) -> tuple[list[Change], list[Change]]:
    old, current = ({record.key: record for record in module.records} for module in (before, now))
    worse, better = list(_gone(before, now)), []
    for key, record in current.items():
        if key not in old:
            if not settings.accepts(record.verdict):
                worse.append(_new(now, record))
            continue
        place = record.id_in(now.module)
        changes = list(_differences(old[key], record, place))
        worse += [change for change, is_worse in changes if is_worse]
        better += [change for change, is_worse in changes if not is_worse]
    added = [record for key, record in current.items() if key not in old and settings.accepts(record.verdict)]
    better += [Change("new", now.module, "", _counted(added))] if added else []
    return worse, better


def _differences(before: Record, now: Record, place: str) -> Iterator[tuple[Change, bool]]:
    """The changes of one check, each with whether it is for the worse; a verdict is told with the error behind it."""
    margin = _margin(before, now, place)
    if before.verdict is not now.verdict:
        is_worse = _ORDER.index(now.verdict) > _ORDER.index(before.verdict)
        is_one = margin is not None and margin[1] is is_worse
        words = [before.verdict.value, now.verdict.value]
        if margin is not None and is_one:
            words = [f"{words[0]}, {margin[0].before}", f"{words[1]}, {margin[0].after}"]
            margin = None
        yield Change("verdict", place, *words), is_worse
    if margin is not None:
        yield margin
    if before.error is None or now.error is None:
        return
    if (looked := _looked_at(now)) != (before_that := _looked_at(before)):
        lower = any(new < old for new, old in zip(looked, before_that, strict=True))
        yield Change("coverage", place, _perturbed(before), _perturbed(now)), lower


def _margin(before: Record, now: Record, place: str) -> tuple[Change, bool] | None:
    """An error that has grown or shrunk by a decade: so has the margin to every threshold."""
    if before.error is None or now.error is None:
        return None
    old, new = (max(error, _LEAST_ERROR) for error in (before.error, now.error))
    # Of numbers with two digits: 1.0e-8 is ten times 1.0e-9, whatever their binary quotient is.
    factor = _DECADE * (1 - 1e-9)
    if new == old or (new < factor * old and old < factor * new):
        return None
    return Change("margin", place, f"error {before.error:.1e}", f"error {now.error:.1e}"), new > old


def _looked_at(record: Record) -> tuple[float, float, int]:
    """How much of a leaf was looked at: one by one, at all, and how many entries that is."""
    coordinates = max(record.coordinates, 1)
    alone, together = record.one_by_one / coordinates, (record.one_by_one + record.projected) / coordinates
    return round(alone, 6), round(together, 6), record.one_by_one + record.projected


def _perturbed(record: Record) -> str:
    projected = f", {record.projected} projected" if record.projected else ""
    return f"{record.one_by_one}/{record.coordinates} perturbed{projected}"


def _gone(before: ModuleRecord, now: ModuleRecord) -> Iterator[Change]:
    """What is missing of a module; a whole leaf, case or kind of check is one change, not one a check."""
    keys = {record.key for record in now.records}
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in before.records:
        if record.key not in keys:
            groups.setdefault(_missing(record, now), []).append(record)
    for (kind, name), records in groups.items():
        place = f"{before.module}: {kind} {name}" if kind else name
        yield Change("gone", place, _counted(records), "not verified any more")


def _missing(record: Record, now: ModuleRecord) -> tuple[str, str]:
    """What of a record there is nowhere in a module any more: its leaf, its case, its check, or the three together."""
    for kind in ("leaf", "case", "check"):
        value = getattr(record, kind)
        if value and all(getattr(other, kind) != value for other in now.records):
            return kind, value
    return "", record.id_in(now.module)


def _new(module: ModuleRecord, record: Record) -> Change:
    return Change("new", record.id_in(module.module), "not in the baseline", record.verdict.value)


def _times(before: ModuleRecord, now: ModuleRecord) -> tuple[list[Change], list[Change]]:
    old, new = (max(seconds, _LEAST_SECONDS) for seconds in (before.seconds, now.seconds))
    change = [Change("time", now.module, f"{before.seconds:.2f} s", f"{now.seconds:.2f} s")]
    return (change if new >= _SLOWER * old else []), (change if old >= _SLOWER * new else [])


def _known(before: ModuleRecord, now: ModuleRecord, settings: Settings) -> Iterator[str]:
    failing = {record.key for record in before.records if not settings.accepts(record.verdict)}
    for record in now.records:
        if record.key in failing and not settings.accepts(record.verdict):
            yield record.id_in(now.module)


def _remarks(before: Baseline, now: Baseline) -> Iterator[str]:
    if before.threshold != now.threshold:
        yield f"the baseline was made with the threshold {before.threshold:g}, this run with {now.threshold:g}"
    if before.gradcheck != now.gradcheck:
        yield f"the baseline was made by gradcheck {before.gradcheck}, this is {now.gradcheck}"


def _counted(records: Sequence[Record]) -> str:
    verdicts = [record.verdict for record in records]
    told = ", ".join(f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict if verdict in verdicts)
    return f"{len(records)} checks: {told}" if len(records) > 1 else f"1 check: {told}"
