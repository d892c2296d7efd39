//! A pipeline's log, as talk: one line each.

use std::fmt::{Display, Write as _};

use etl::ports::{Level, Log};

use crate::output::Talk;

/// Lines go to stderr; those for people who look closely are left out.
#[derive(Debug)]
pub struct LocalLog(pub Talk);

impl Log for LocalLog {
    fn line(&self, level: Level, message: &str, fields: &[(&'static str, &dyn Display)]) {
        let word = match level {
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
        self.0.line(line);
    }
}
