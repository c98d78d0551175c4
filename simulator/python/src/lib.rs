//! The population mode for Python. Tables cross as Parquet in memory, which pyarrow reads: no Arrow
//! structure is shared, so no unsafe code of ours is needed.

use chikaku_simulator::population::{self, Scenario, sweep};
use pyo3::exceptions::{PyIndexError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

fn read(scenario: &str, people: Option<u32>, days: Option<u16>) -> PyResult<Scenario> {
    let refused = |error: population::ScenarioError| PyValueError::new_err(error.to_string());
    let mut scenario = Scenario::parse(scenario).map_err(refused)?;
    scenario.people = people.unwrap_or(scenario.people);
    scenario.days = days.unwrap_or(scenario.days);
    scenario.check().map_err(refused)?;
    Ok(scenario)
}

fn failed(error: &impl ToString) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// The days of a run, as the bytes of a Parquet file.
#[pyfunction]
#[pyo3(signature = (scenario, seed, people=None, days=None))]
fn run_parquet(
    py: Python<'_>,
    scenario: &str,
    seed: u64,
    people: Option<u32>,
    days: Option<u16>,
) -> PyResult<Vec<u8>> {
    let scenario = read(scenario, people, days)?;
    py.detach(|| {
        let outcome = population::run(&scenario, seed).map_err(|error| failed(&error))?;
        outcome.monitor.frame(&scenario.name).to_parquet().map_err(|error| failed(&error))
    })
}

/// The partition of each run of the scenario's sweep, in the order of their numbers.
#[pyfunction]
#[pyo3(signature = (scenario, people=None, days=None))]
fn sweep_partitions(
    scenario: &str,
    people: Option<u32>,
    days: Option<u16>,
) -> PyResult<Vec<String>> {
    let scenario = read(scenario, people, days)?;
    Ok(sweep::points(&scenario).iter().map(sweep::Point::partition).collect())
}

/// Makes `folder` the one of this scenario's sweep.
#[pyfunction]
#[pyo3(signature = (scenario, folder, people=None, days=None))]
fn claim_folder(
    scenario: &str,
    folder: std::path::PathBuf,
    people: Option<u32>,
    days: Option<u16>,
) -> PyResult<()> {
    let scenario = read(scenario, people, days)?;
    sweep::claim(&scenario, &folder).map_err(|error| failed(&error))
}

/// One run of the sweep on one thread, as the bytes of a Parquet file with one row.
#[pyfunction]
#[pyo3(signature = (scenario, number, people=None, days=None))]
fn sweep_row_parquet(
    py: Python<'_>,
    scenario: &str,
    number: usize,
    people: Option<u32>,
    days: Option<u16>,
) -> PyResult<Vec<u8>> {
    let scenario = read(scenario, people, days)?;
    let points = sweep::points(&scenario);
    let point = points.get(number).ok_or_else(|| {
        PyIndexError::new_err(format!("there are {} runs, none is {number}", points.len()))
    })?;
    py.detach(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let row = pool.map_err(|error| failed(&error))?.install(|| point.run(&scenario));
        let row = row.map_err(|error| failed(&error))?;
        row.frame().to_parquet().map_err(|error| failed(&error))
    })
}

/// The whole sweep in this process, on all cores: writes the partitions that are missing.
#[pyfunction]
#[pyo3(signature = (scenario, folder, people=None, days=None))]
fn sweep_here(
    py: Python<'_>,
    scenario: &str,
    folder: std::path::PathBuf,
    people: Option<u32>,
    days: Option<u16>,
) -> PyResult<usize> {
    let scenario = read(scenario, people, days)?;
    py.detach(|| {
        let rows = sweep::run(&scenario, &folder, || ()).map_err(|error| failed(&error))?;
        Ok(rows.len())
    })
}

/// What `chikaku_population` is made of.
#[pymodule]
fn _chikaku_population(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run_parquet, module)?)?;
    module.add_function(wrap_pyfunction!(sweep_partitions, module)?)?;
    module.add_function(wrap_pyfunction!(claim_folder, module)?)?;
    module.add_function(wrap_pyfunction!(sweep_row_parquet, module)?)?;
    module.add_function(wrap_pyfunction!(sweep_here, module)?)
}
