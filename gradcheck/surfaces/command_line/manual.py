"""What one types: examples of every command, for its page of help."""

OVERVIEW = """\
more:
  gradcheck COMMAND --help      the options of a command, with examples
  gradcheck explain CHECK       what a check does, and what to do when it fails"""

EXAMPLES = {
    "gradcheck": (
        ("gradcheck report layers.py", "verify every module that a file registers"),
        ("gradcheck watch src/", "verify again what changes, on every save"),
        ("gradcheck init", "set a project up: configuration and a CI job"),
    ),
    "report": (
        ("gradcheck report layers.py", "every module that the file registers"),
        ("gradcheck report mypkg.layers:Linear --threshold 1e-7", "one class, as strictly as can be"),
        ("gradcheck report src/ -k Conv -k 'Pool[' -v", "only modules with such names, with a row for every check"),
        ("gradcheck report -o report.html --format markdown -o summary.md", "two reports of one run"),
        ("gradcheck report --save baseline.json", "keep what the run comes to"),
        ("gradcheck report --against baseline.json", "fail where anything is worse than that"),
        ("gradcheck report --against baseline.json --accept", "take over what is worse or better"),
        ("gradcheck report -j auto --journal run.jsonl --resume", "on all cores; go on where a run was interrupted"),
    ),
    "changed": (
        ("gradcheck changed $(git diff --name-only HEAD)", "what has been changed since the last commit"),
        ("gradcheck changed losses.py --checks gradient", "the gradients of what one file concerns"),
    ),
    "watch": (
        ("gradcheck watch", "what is configured, and again what changes"),
        ("gradcheck watch layers.py --checks gradient -q", "the gradients of one file, in few lines"),
    ),
    "list": (
        ("gradcheck list", "everything that `gradcheck report` would verify"),
        ("gradcheck list gradcheck.modules -k Conv", "modules of the catalogue whose names contain Conv"),
    ),
    "explain": (
        ("gradcheck explain", "one line about every check"),
        ("gradcheck explain linearity", "what it does, a bug that it catches, how to fix or waive it"),
    ),
    "init": (
        ("gradcheck init", "[tool.gradcheck] in pyproject.toml and a workflow of GitHub"),
        ("gradcheck init --ci gitlab --pre-commit", "for GitLab, with a hook"),
        ("gradcheck init --dry-run", "only say what would be written"),
    ),
    "doctor": (("gradcheck doctor", "what is installed, missing or broken, and what to do about it"),),
    "completion": (
        ("gradcheck completion bash > ~/.local/share/bash-completion/completions/gradcheck", "for bash"),
        ("gradcheck completion zsh > ~/.zfunc/_gradcheck", "for zsh, with ~/.zfunc in fpath"),
    ),
}
