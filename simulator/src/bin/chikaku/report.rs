//! `chikaku report`.

use std::fs;
use std::path::PathBuf;

use anyhow::anyhow;
use chikaku_simulator::experiment::parquet_file::from_parquet;
use chikaku_simulator::report::{page, sections};

use crate::failure::{self, Failure};
use crate::output::say;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder with the tables of `chikaku experiment` or `chikaku simulate --out`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where to write the page; without it, report.html in the folder
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Its title
    #[arg(long, default_value = "Chikaku: results")]
    title: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failure::at(folder, error))? {
        let path = entry.map_err(|error| failure::at(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let folder = folder.display();
        return Err(Failure::Refused(anyhow!(
            "{folder}: no table; `chikaku experiment E1 --out {folder}` makes one"
        )));
    }
    let mut tables = Vec::new();
    for path in &paths {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("table");
        let table = from_parquet(name, failure::read(path)?);
        tables.push(table.map_err(|error| Failure::refused(error).about(path))?);
    }
    let sections = sections(&tables);
    let html = arguments.html.clone().unwrap_or_else(|| folder.join("report.html"));
    failure::write(&html, page(&arguments.title, &sections).as_bytes())?;
    for section in &sections {
        say!("{}\n  {}\n", section.title, section.summary);
    }
    say!("written to {}", html.display());
    Ok(())
}
