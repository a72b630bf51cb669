//! Record log, graph, text and vector indexes; hybrid query and context bundles.

#[expect(unused_imports, reason = "the log and the query import them when they stand")]
#[cfg_attr(not(test), expect(dead_code, reason = "the log and the query call it when they stand"))]
mod derive;
