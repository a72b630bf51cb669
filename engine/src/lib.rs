//! Record log, graph, text and vector indexes; hybrid query and context bundles.
