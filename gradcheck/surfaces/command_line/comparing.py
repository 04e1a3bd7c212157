"""What ``--save``, ``--against`` and ``--accept`` ask for: a run is kept, compared, or takes the baseline's place."""

import sys
from argparse import Namespace
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path

from gradcheck.surfaces.baselines.as_comparison import (
    render_comparison,
    render_comparison_commands,
    render_comparison_markdown,
    with_comparison_section,
)
from gradcheck.surfaces.baselines.baseline import Baseline, baseline_of, selected, updated
from gradcheck.surfaces.baselines.files import read_baseline, require_baseline_file, write_baseline
from gradcheck.surfaces.baselines.regressions import Comparison, compare_runs
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.results import Verification


@dataclass(frozen=True)
class Baselines:
    """What is to be done with baselines in one run.

    Arguments:
        folder: of the project, to which files are relative.
        save: where the run is kept.
        against: where the baseline was read, which is `before`.
        accept: whether the run takes the baseline's place.
        times: whether a module that takes longer is a regression.
        keywords: of the run; what they leave out is not compared.
    """

    folder: Path
    save: Path | None = None
    against: Path | None = None
    before: Baseline | None = None
    accept: bool = False
    times: bool = True
    keywords: tuple[str, ...] = ()


def baselines_for(options: Namespace) -> Baselines:
    """Read the options, and the baseline, before anything is computed.

    Raises ConfigurationError for options that contradict each other, and for a file that cannot be read or written.
    """
    for option in ("accept", "ignore_time"):
        if getattr(options, option) and options.against is None:
            raise ConfigurationError(f"--{option.replace('_', '-')} needs the baseline to compare with: --against FILE")
    if options.fail_fast and (options.save or options.against):
        raise ConfigurationError(
            "--fail-fast leaves out what a baseline is about: give it without --save and --against"
        )
    if options.save is not None:
        require_baseline_file(options.save, "--save")
    if options.accept:
        require_baseline_file(options.against, "--accept")
    before = None if options.against is None else read_baseline(options.against)
    if options.save and options.against and realpath(options.save) == realpath(options.against):
        raise ConfigurationError(f"--save {options.save}: is what is compared with: --accept updates it")
    # A target may change the folder.
    save, against = (file and file.absolute() for file in (options.save, options.against))
    keywords = tuple(options.keywords)
    return Baselines(Path.cwd(), save, against, before, options.accept, not options.ignore_time, keywords)


def compared(baselines: Baselines, verification: Verification) -> Comparison | None:
    """The run compared with its baseline; None without one, and for a run that was interrupted."""
    if baselines.before is None or verification.partial:
        return None
    before = selected(baselines.before, baselines.keywords, verification.settings)
    now = baseline_of(verification, baselines.folder)
    return compare_runs(before, now, verification.settings, times=baselines.times)


def with_comparison(document: str, form: str, comparison: Comparison | None, baselines: Baselines) -> str:
    """A report with the comparison in it, in the formats that are for people to read."""
    if comparison is None:
        return document
    if form == "text":
        return f"{document}\n{render_comparison(comparison, _name(baselines))}"
    if form == "markdown":
        return f"{document}\n{render_comparison_markdown(comparison, _name(baselines))}"
    if form == "html":
        return with_comparison_section(document, comparison, _name(baselines))
    if form == "github":
        return document + render_comparison_commands(comparison)
    return document


def settled(baselines: Baselines, verification: Verification, comparison: Comparison | None, status: int) -> int:
    """Write the baselines that are asked for, and return the exit status: with a baseline regressions decide.

    Nothing is written of a run that is not whole: one that was interrupted, found nothing, or could not load a target.

    Arguments:
        status: that of the run by itself.
    """
    is_whole = status in (0, 1)
    now = baseline_of(verification, baselines.folder)
    if baselines.save is not None:
        _written(baselines.save, now, "--save", is_whole)
    if comparison is None or baselines.before is None or baselines.against is None:
        return status
    if baselines.accept:
        looked_at = selected(baselines.before, baselines.keywords, verification.settings)
        _written(baselines.against, updated(baselines.before, looked_at, now), "--accept", is_whole)
    if not is_whole:
        return status
    return 1 if comparison.regressions and not baselines.accept else 0


def _written(file: Path, baseline: Baseline, option: str, is_whole: bool) -> None:
    if is_whole:
        write_baseline(file, baseline, option)
        print(f"baseline: {file.name} is written", file=sys.stderr)
    else:
        print(f"baseline: {file.name} is left as it is, since this run is not whole", file=sys.stderr)


def _name(baselines: Baselines) -> str:
    return baselines.against.name if baselines.against else ""
