//! What lies in a zip? One file, as a stream.

use std::fs::File;
use std::io::{Read, Result};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use zip::ZipArchive;

/// Name and size of the only file in a zip, or why there is none.
pub(crate) fn member(path: &Path) -> std::result::Result<(String, u64), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = ZipArchive::new(file).map_err(|error| format!("no zip file: {error}"))?;
    let mut found = None;
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(|error| format!("no zip file: {error}"))?;
        let name = entry_name(entry.name_raw());
        if entry.is_dir() || name.starts_with("__MACOSX/") {
            continue;
        }
        if found.is_some() {
            return Err("holds several files: unpack it and give the folder".to_owned());
        }
        found = Some((name.rsplit('/').next().unwrap_or_default().to_owned(), entry.size(), at));
    }
    found.map(|(name, size, _)| (name, size)).ok_or_else(|| "holds no file".to_owned())
}

/// Reads the only file in a zip, unpacked by a thread of its own that ends when the reader goes.
pub(crate) fn open(path: &Path) -> Result<Unpacked> {
    let mut archive = ZipArchive::new(File::open(path)?)?;
    let (sender, chunks) = sync_channel(4);
    std::thread::spawn(move || {
        for at in 0..archive.len() {
            let mut entry = match archive.by_index(at) {
                Ok(entry) if entry.is_dir() || entry_name(entry.name_raw()).starts_with("__MACOSX/") => {
                    continue;
                }
                Ok(entry) => entry,
                Err(error) => {
                    let _ = sender.send(Err(error.into()));
                    return;
                }
            };
            loop {
                let mut chunk = vec![0; 1 << 16];
                let read = entry.read(&mut chunk).map(|count| {
                    chunk.truncate(count);
                    chunk
                });
                let is_last = read.as_ref().map_or(true, Vec::is_empty);
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        }
    });
    Ok(Unpacked { chunks, current: Vec::new(), at: 0 })
}

/// The name of an entry; one that is no UTF-8 only has to tell its ending.
fn entry_name(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).into_owned()
}

/// The bytes of a zip's file.
pub(crate) struct Unpacked {
    chunks: Receiver<Result<Vec<u8>>>,
    current: Vec<u8>,
    at: usize,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.at == self.current.len() {
            match self.chunks.recv() {
                Ok(chunk) => (self.current, self.at) = (chunk?, 0),
                Err(_closed) => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len() - self.at);
        buffer[..count].copy_from_slice(&self.current[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
