"""A sweep on Ray: python -m chikaku_population.sweep SCENARIO.toml --out DIR [--address auto]

Every run becomes a Parquet partition, written whole or not at all. Partitions that are there are
not run again, so a sweep that was stopped goes on where it was. On a cluster, DIR is a folder that
every machine sees, and every machine has this package.
"""

import argparse
import os
import pathlib
import uuid

import chikaku_population


def write_row(scenario, number, path, people, days):
    """One run, by whichever worker; a second one of the same run writes the same bytes."""
    import pyarrow.parquet

    path = pathlib.Path(path)
    if path.exists():
        return
    table = chikaku_population.sweep_row(scenario, number, people=people, days=days)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{uuid.uuid4().hex}.unfinished")
    pyarrow.parquet.write_table(table, unfinished)
    os.replace(unfinished, path)


def run(scenario, out, *, people=None, days=None, address=None, progress=None):
    """Every run whose partition is missing, on Ray; gives how many there were to do."""
    import ray

    out = pathlib.Path(out).absolute()
    chikaku_population.claim_folder(scenario, out, people=people, days=days)
    partitions = chikaku_population.sweep_partitions(scenario, people=people, days=days)
    missing = [(n, out / name) for n, name in enumerate(partitions) if not (out / name).exists()]
    if not missing:
        return 0
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False)
    # A worker that dies takes its run with it; Ray gives the run to another one.
    task = ray.remote(num_cpus=1, max_retries=5)(write_row)
    text = ray.put(scenario)
    pending = [task.remote(text, n, str(path), people, days) for n, path in missing]
    while pending:
        finished, pending = ray.wait(pending)
        ray.get(finished)
        if progress:
            progress(len(missing) - len(pending), len(missing))
    return len(missing)


def main():
    parser = argparse.ArgumentParser(prog="python -m chikaku_population.sweep", description=__doc__)
    parser.add_argument("scenario", nargs="?", type=pathlib.Path, help="what differs from Kanagawa")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the partitions")
    parser.add_argument("--people", type=int)
    parser.add_argument("--days", type=int)
    parser.add_argument("--address", help="of a Ray cluster; without it, this machine")
    arguments = parser.parse_args()
    scenario = arguments.scenario.read_text() if arguments.scenario else ""
    done = run(
        scenario,
        arguments.out,
        people=arguments.people,
        days=arguments.days,
        address=arguments.address,
        progress=lambda done, of: print(f"{done} of {of} runs", flush=True),
    )
    print(f"{done} runs were missing; all partitions are in {arguments.out}")


if __name__ == "__main__":
    main()
