"""The package as a researcher uses it. Run by ../test.sh."""

import os
import pathlib
import signal
import tempfile
import threading
import time
import unittest

import duckdb
import pyarrow
import pyarrow.parquet
import ray

import chikaku_population
from chikaku_population import sweep

SCENARIO = """
base = "openabm"
first_infections = 100
[sweep]
adoption = [0.0, 0.5, 1.0]
carry = [0.7, 0.9]
report = [0.5, 1.0]
delay_hours = [0]
compliance = [0.9]
seeds = [1, 2]
"""
PEOPLE, DAYS = 60_000, 100


def rows(folder):
    files = sorted(pathlib.Path(folder).rglob("*.parquet"))
    return pyarrow.concat_tables([pyarrow.parquet.ParquetFile(file).read() for file in files])


class Run(unittest.TestCase):
    def test_a_run_is_a_table_and_the_same_again(self):
        one = chikaku_population.run(SCENARIO, seed=3, people=2000, days=30)
        self.assertIsInstance(one, pyarrow.Table)
        self.assertEqual(one.num_rows, 30)
        self.assertIn("severe_beds_used", one.column_names)
        self.assertTrue(one.equals(chikaku_population.run(SCENARIO, seed=3, people=2000, days=30)))
        self.assertFalse(one.equals(chikaku_population.run(SCENARIO, seed=4, people=2000, days=30)))

    def test_what_makes_no_sense_is_refused_with_its_place(self):
        with self.assertRaisesRegex(ValueError, "app.adoption is 2"):
            chikaku_population.run("[app]\nadoption = 2.0")


class Sweep(unittest.TestCase):
    def test_ray_gives_the_rows_of_one_process_though_a_worker_is_killed(self):
        with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
            count = chikaku_population.sweep_here(SCENARIO, here, people=PEOPLE, days=DAYS)
            killed = []
            half = threading.Event()
            killer = threading.Thread(target=self.kill_a_worker, args=(half, killed))
            killer.start()

            def progress(done, of):
                if done >= of // 2:
                    half.set()

            done = sweep.run(SCENARIO, there, people=PEOPLE, days=DAYS, progress=progress)
            half.set()
            killer.join()
            self.assertEqual(done, count)
            self.assertTrue(killed, "a worker was killed while it ran")
            self.assertTrue(rows(here).equals(rows(there)))

            # Restarted: only what is missing is run, and comes out the same.
            lost = sorted(pathlib.Path(there).rglob("*.parquet"))[3]
            lost.unlink()
            self.assertEqual(sweep.run(SCENARIO, there, people=PEOPLE, days=DAYS), 1)
            self.assertTrue(rows(here).equals(rows(there)))
            self.assertEqual(sweep.run(SCENARIO, there, people=PEOPLE, days=DAYS), 0)
            with self.assertRaisesRegex(RuntimeError, "scenario.toml"):
                sweep.run(SCENARIO, there, people=PEOPLE + 1, days=DAYS)

            # A database reads the partitions as one table.
            seeds_and_infections = "count(distinct seed), sum(infections)::bigint"
            found = duckdb.sql(
                f"select arm, adoption, {seeds_and_infections} "
                f"from read_parquet('{there}/**/*.parquet') group by all order by arm"
            ).fetchall()
            self.assertEqual(len(found), count // 2)
            self.assertEqual(found[0][:3], ("0000", 0.0, 2))
            infections = sum(rows(here).column("infections").to_pylist())
            self.assertEqual(sum(row[3] for row in found), infections)
        ray.shutdown()

    def kill_a_worker(self, half, killed):
        half.wait()
        deadline = time.monotonic() + 60
        while not killed and time.monotonic() < deadline:
            for process in self.workers():
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.append(process)
                return

    @staticmethod
    def workers():
        """Workers of this test's Ray that are at a run now, by the name Ray gives them."""
        session = ray._private.worker.global_worker.node.session_name
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").strip()
                if title.startswith(b"ray::write_row") and _belongs(folder, session):
                    yield int(folder.name)
            except OSError:
                continue


def _belongs(folder, session):
    files = (os.readlink(file) for file in (folder / "fd").iterdir())
    return any(session in file for file in files)


if __name__ == "__main__":
    unittest.main()
