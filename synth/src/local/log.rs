//! A pipeline's log, as talk: one line each.

use std::fmt::{Display, Write as _};

use etl::ports::{Level, Log};

use super::Gone;
use crate::output::Talk;

/// Lines go to stderr; those for people who look closely are left out, and all of them when nobody reads the product.
#[derive(Debug)]
pub struct LocalLog {
    /// Where they go.
    pub talk: Talk,
    /// Whether there is still a reader.
    pub gone: Gone,
}

impl Log for LocalLog {
    fn line(&self, level: Level, message: &str, fields: &[(&'static str, &dyn Display)]) {
        let word = match level {
            _ if self.gone.is_set() => return,
            Level::Debug => return,
            Level::Info => "info",
            Level::Warn => "warning",
            Level::Error => "error",
        };
        let mut line = format!("{word}: {message}");
        for (at, (name, value)) in fields.iter().enumerate() {
            let _ = write!(line, "{}{name}: {value}", if at == 0 { " (" } else { ", " });
        }
        if !fields.is_empty() {
            line.push(')');
        }
        self.talk.line(line);
    }
}
