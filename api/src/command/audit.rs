//! `audit`: is the desk's history still what it was?

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use triage::audit::{Checkpoint, PublicKey, Sealer, Tree, export, verify, verify_export};

use crate::audit_key::signer;
use crate::cli::Outcome;
use crate::output::{self, BAD, BOLD, DIM, GOOD, paint};
use crate::settings::Global;

/// Verify the audit log, sign it, and hand it out.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compute all hashes again and hold them against the signed checkpoints
    Verify {
        /// A checkpoint that was kept elsewhere: only it tells whether the log was cut off or signed anew
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// The public key, as `audit key` printed it [default: that of this desk's key file]
        #[arg(long, value_name = "KEY")]
        key: Option<PublicKey>,
    },
    /// Sign all that was noted, and print the checkpoint: keep it elsewhere
    Checkpoint,
    /// Print the public key that the checkpoints are checked with
    Key,
    /// Write all entries with their hashes and the checkpoint to a file
    Export {
        /// The file
        file: PathBuf,
    },
    /// Prove an exported log, with nothing but the public key
    VerifyExport {
        /// The file
        file: PathBuf,
        /// The public key, as `audit key` printed it
        #[arg(long, value_name = "KEY")]
        key: PublicKey,
    },
}

impl Audit {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Verify { checkpoint, key } => verified(global, checkpoint.as_ref(), key.as_ref()),
            Command::Checkpoint => {
                output::line(sealed(global)?.text().trim_end());
                Ok(Outcome::Fine)
            }
            Command::Key => {
                let store = global.open()?.store();
                output::line(signer(global, &store)?.public_key().to_string());
                Ok(Outcome::Fine)
            }
            Command::Export { file } => {
                let checkpoint = sealed(global)?;
                let store = global.open()?.store();
                let out = File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
                export(&store, &checkpoint, &mut BufWriter::new(out))?;
                output::note(format!("{} entries in {}", checkpoint.head().size, file.display()));
                Ok(Outcome::Fine)
            }
            Command::VerifyExport { file, key } => {
                let input = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
                let checkpoint = verify_export(BufReader::new(input), key)?;
                let size = checkpoint.head().size;
                output::line(format!(
                    "{} {size} entries, as {} signed them",
                    paint(GOOD, "proven:"),
                    checkpoint.origin()
                ));
                Ok(Outcome::Fine)
            }
        }
    }
}

/// Signs what was noted since the last checkpoint; gives the newest.
fn sealed(global: &Global) -> anyhow::Result<Checkpoint> {
    let store = global.open()?.store();
    let mut tree = Tree::default();
    tree.catch_up(&store)?;
    let mut sealer = Sealer::new(&store, signer(global, &store)?, 1)?;
    sealer.seal(&store, &tree)?.cloned().context("nothing was noted yet: there is nothing to sign")
}

fn verified(
    global: &Global,
    checkpoint: Option<&PathBuf>,
    key: Option<&PublicKey>,
) -> anyhow::Result<Outcome> {
    let desk = global.open()?;
    let own;
    let key = match key {
        Some(key) => key,
        None => {
            own = signer(global, &desk.store())?;
            own.public_key()
        }
    };
    let trusted = match checkpoint {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Some(
                Checkpoint::open(&text, key)
                    .with_context(|| format!("{} is no checkpoint of this desk", path.display()))?,
            )
        }
        None => None,
    };
    let report = verify(&desk.store(), key, trusted.as_ref())?;
    if global.json {
        output::json(&report)?;
    } else {
        let said = match &report.fault {
            None => paint(GOOD, "whole"),
            Some(_) => paint(BAD, "not whole"),
        };
        output::line(format!(
            "{} {said}: {} entries, {} of them under {} signed checkpoints",
            paint(BOLD, "audit log"),
            report.entries,
            report.sealed,
            report.checkpoints
        ));
        match &report.fault {
            Some(fault) => output::line(fault.to_string()),
            None if checkpoint.is_none() => output::line(paint(
                DIM,
                "held against this desk's own checkpoints; one that was kept elsewhere (--checkpoint) shows more",
            )),
            None => {}
        }
    }
    Ok(if report.fault.is_some() { Outcome::Attention } else { Outcome::Fine })
}
