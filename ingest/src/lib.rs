//! Sources to canonical records: formats, mappings, quarantine.
