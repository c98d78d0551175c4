#!/usr/bin/env bash
# Builds the package, installs it with its dependencies into a virtual environment below target, and
# tests it. Needs Python 3.10 with venv, the Rust toolchain, and Python's package registry.
set -euo pipefail
cd "$(dirname "$0")"

# One set of compiled dependencies for the command and for Python.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../../target}"
environment="../../target/population-python"
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
"$environment/bin/pip" install --quiet '.[sweep,test]'
# Whatever starts the build does not come along into the tests: they see the installed package.
cd tests
exec "../$environment/bin/python" -m unittest -v test_population
