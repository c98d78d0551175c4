# Sourced by ffi/test-bindings.sh.
generate python "$work/python"
cp "$library" "$work/python/"
python_log=$work/python.log
PYTHONPATH="$work/python" python3 -m unittest discover --start-directory ffi/tests/python 2>&1 | tee "$python_log" || true
ran=$(sed -n 's/^Ran \([0-9]*\) tests\? in .*/\1/p' "$python_log")
broken=$(sed -n 's/^FAILED (\(.*\))$/\1/p' "$python_log" | grep -o '[0-9]*' | paste -sd+ | bc || true)
count $((${ran:-0} - ${broken:-0})) $((${broken:-0} + (${ran:-0} == 0)))
