#!/bin/sh
# Verifies hand-written backward passes, on any CI system: the exit status is 0 only if every one is right.
# Needs: python -m pip install 'gradcheck[report]'
set -eu
cd "$(dirname "$0")/.."
mkdir -p gradcheck-report
exec gradcheck report layers.py -o gradcheck-report/report.html -o gradcheck-report/junit.xml --format text
