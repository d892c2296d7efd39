//! The world of a pipeline that runs on this machine: the ports of [`etl`], without AWS.
//!
//! Nothing here decides what is delivered, retried or lost: that is the pipeline's, the same as in the function.

pub mod calls;
pub mod clock;
pub mod lambda;
pub mod lines;
pub mod log;
pub mod metrics;
pub mod objects;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the reader of stdout went away (`synth run … | head`): then there is no use in going on, and nothing to be said.
#[derive(Clone, Debug, Default)]
pub struct Gone(Arc<AtomicBool>);

impl Gone {
    /// It went away.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The file that stands for a name of the far side (an object's key, a stream), below `root` whatever the name is: `/` parts folders,
/// and what would lead elsewhere (nothing, `.` and `..` between two slashes) is percent-encoded.
pub fn below(root: &Path, name: &str) -> PathBuf {
    let mut path = root.to_path_buf();
    for part in name.split('/') {
        match part {
            "" => path.push("%"),
            "." => path.push("%2E"),
            ".." => path.push("%2E%2E"),
            // On Windows a backslash parts folders too, and a colon names a drive.
            part if cfg!(windows) => path.push(part.replace('\\', "%5C").replace(':', "%3A")),
            part => path.push(part.replace('\0', "%00")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_a_path_below_the_folder() {
        assert_eq!(below(Path::new("d"), "b/AWSLogs/1.json.gz"), Path::new("d/b/AWSLogs/1.json.gz"));
        assert_eq!(below(Path::new("d"), "b/../../etc//passwd"), Path::new("d/b/%2E%2E/%2E%2E/etc/%/passwd"));
        assert_eq!(below(Path::new("d"), "/etc"), Path::new("d/%/etc"));
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_the_folder(name in "[a./\\\\:\0]{0,12}") {
            let path = below(Path::new("root"), &name);
            prop_assert!(path.starts_with("root"));
            prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))), "{}", path.display());
        }
    }
}
