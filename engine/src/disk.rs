//! Is there no room left? Every index and the log say so by one code and with one remedy.

use std::io::{Error, ErrorKind};

/// The stable code of an error that more room mends.
pub(crate) const DISK_FULL: &str = "disk-full";
/// What to do then. What was written by then is whole.
pub(crate) const MAKE_ROOM: &str = "the disk is full: make room and try again, nothing is lost";

/// Whether an error of the file system goes away with more room.
pub(crate) fn is_full(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}
