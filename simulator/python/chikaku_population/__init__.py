"""An epidemic, an exposure notification app, and a prefecture's beds.

A scenario is a TOML text that says what differs from the built-in one of Kanagawa; "" is that one,
and 'base = "openabm"' starts from the parameters at which OpenABM-Covid19 was measured.
"""

import io

import pyarrow
import pyarrow.parquet

from . import _chikaku_population as _rust

__all__ = ["run", "sweep_partitions", "claim_folder", "sweep_row", "sweep_here"]


def run(scenario="", *, seed=1, people=None, days=None) -> pyarrow.Table:
    """One run: a row for each day."""
    return _table(_rust.run_parquet(scenario, seed, people, days))


def sweep_partitions(scenario="", *, people=None, days=None) -> list[str]:
    """Where each run of the scenario's sweep is written, below the sweep's folder."""
    return _rust.sweep_partitions(scenario, people, days)


def claim_folder(scenario, folder, *, people=None, days=None) -> None:
    """Makes the folder the one of this scenario's sweep; refused if it is another one's."""
    _rust.claim_folder(scenario, folder, people, days)


def sweep_row(scenario, number, *, people=None, days=None) -> pyarrow.Table:
    """Run `number` of the sweep, on one thread: a table of one row."""
    return _table(_rust.sweep_row_parquet(scenario, number, people, days))


def sweep_here(scenario, folder, *, people=None, days=None) -> int:
    """The whole sweep in this process, on all cores; gives the number of runs."""
    return _rust.sweep_here(scenario, folder, people, days)


def _table(parquet: bytes) -> pyarrow.Table:
    return pyarrow.parquet.read_table(io.BytesIO(parquet))
