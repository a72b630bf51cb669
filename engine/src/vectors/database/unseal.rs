//! What if the segments cannot be read? The database has every vector as well.

use super::{Database, VectorError};

impl Database {
    /// Makes all passages scanned ones again, so that the next `seal` builds their graph anew.
    pub(in crate::vectors) fn unseal(&mut self) -> Result<(), VectorError> {
        self.write(|transaction| {
            transaction.execute_batch("UPDATE passage SET segment = 0; DELETE FROM segment;")
        })
    }
}
