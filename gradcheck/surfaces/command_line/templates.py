"""What `gradcheck init` writes: configuration, and a job for each CI system."""

# The braces of GitHub's expressions are not those of str.format: TARGETS is replaced by name.
TARGETS = "@TARGETS@"

CONFIGURATION = """\
[tool.gradcheck]
# What `gradcheck report` verifies: Python modules, files or folders that register modules.
modules = [@TARGETS@]
# Relative error allowed in an entry of a Jacobian, from 1e-7 to 1e-4.
threshold = 1e-5
"""

GITHUB = """\
# Verifies hand-written backward passes: a wrong one is shown at its line in the pull request.
name: gradcheck
on: [push, pull_request]
permissions:
  contents: read
jobs:
  gradients:
    runs-on: ubuntu-latest
    env:
      TARGETS: "@TARGETS@"
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: Install
        # Add what your modules import, such as: python -m pip install -e .
        run: python -m pip install 'gradcheck[report]'
      - name: Verify
        run: |
          mkdir -p gradcheck-report
          status=0
          gradcheck report $TARGETS -o gradcheck-report/report.html -o gradcheck-report/summary.md \\
            -o gradcheck-report/gradcheck.sarif --format text --format github || status=$?
          if [ -f gradcheck-report/summary.md ]; then
            cat gradcheck-report/summary.md >> "$GITHUB_STEP_SUMMARY"
          fi
          exit $status
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: gradcheck-report
          path: gradcheck-report
"""

GITLAB = """\
# Verifies hand-written backward passes: a wrong one is shown at its line in the merge request.
gradcheck:
  image: python:3.12
  variables:
    TARGETS: "@TARGETS@"
  script:
    # Add what your modules import, such as: python -m pip install -e .
    - python -m pip install 'gradcheck[report]'
    - mkdir -p gradcheck-report
    - >-
      gradcheck report $TARGETS -o gradcheck-report/report.html -o gradcheck-report/junit.xml
      --format gitlab -o gradcheck-report/code-quality.json --format text
  artifacts:
    when: always
    paths: [gradcheck-report]
    reports:
      junit: gradcheck-report/junit.xml
      codequality: gradcheck-report/code-quality.json
"""

SHELL = """\
#!/bin/sh
# Verifies hand-written backward passes, on any CI system: the exit status is 0 only if every one is right.
# Needs: python -m pip install 'gradcheck[report]'
set -eu
cd "$(dirname "$0")/.."
mkdir -p gradcheck-report
exec gradcheck report @TARGETS@ -o gradcheck-report/report.html -o gradcheck-report/junit.xml --format text
"""

PRE_COMMIT = """\
# Verifies the modules that the files of a commit concern; `pre-commit install` sets it up.
repos:
  - repo: local
    hooks:
      - id: gradcheck
        name: gradcheck
        entry: gradcheck changed
        language: system
        types: [python]
        require_serial: true
"""


def for_targets(template: str, targets: list[str]) -> str:
    """A template with the targets of a project: in TOML as strings, elsewhere as the words of a command."""
    quoted = ", ".join(f'"{target}"' for target in targets)
    text = template.replace(f"[{TARGETS}]", f"[{quoted}]").replace(TARGETS, " ".join(targets))
    return text.replace("report  -", "report -")
