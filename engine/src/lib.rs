//! Record log, graph, text and vector indexes; hybrid query and context bundles.

#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the engine that queries it is not here yet")
)]
mod vectors;
#[cfg_attr(not(test), expect(dead_code, reason = "the engine that queries it is not here yet"))]
mod visible;
