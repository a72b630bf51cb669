//! `backup`, `restore`: how does a desk get into a file, and back?

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;

use crate::cli::Outcome;
use crate::output;
use crate::settings::Global;

/// Copy a desk, also while it is served.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; it must not be there yet
    file: PathBuf,
}

impl Backup {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        global.check_exists()?;
        engine::backup(&global.data, &global.tenant, &self.file)?;
        let bytes = std::fs::metadata(&self.file).context("cannot look at the copy")?.len();
        if global.json {
            output::json(&serde_json::json!({ "tenant": global.tenant, "file": self.file, "bytes": bytes }))?;
        } else {
            output::line(format!(
                "the desk of tenant {} is copied to {} ({bytes} bytes)",
                global.tenant,
                self.file.display()
            ));
        }
        Ok(Outcome::Fine)
    }
}

/// Bring a copied desk back.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy that `triagraph backup` wrote
    file: PathBuf,
}

impl Restore {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        ensure!(
            self.file.is_file(),
            "{} is no file: name a copy that `triagraph backup` wrote",
            self.file.display()
        );
        engine::restore(&self.file, &global.data, &global.tenant)?;
        output::note("the record log is back; building the indexes from it");
        let status = global.open()?.status()?;
        if global.json {
            output::json(&status)?;
        } else {
            let records = output::count(status.records.values().sum(), "record", "records");
            output::line(format!(
                "the desk of tenant {} is back in {}: {records}",
                global.tenant,
                global.data.display()
            ));
        }
        Ok(Outcome::Fine)
    }
}
