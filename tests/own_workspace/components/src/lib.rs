//! What this company adds to a pipeline's vocabulary.

mod mask;

pub use mask::MaskOperation;

use etl::registry::Registry;

/// Flexo's components and ours.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.operations.add::<MaskOperation>();
    registry
}
