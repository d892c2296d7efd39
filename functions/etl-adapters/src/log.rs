//! Log lines as JSON on standard output, where Lambda takes them to CloudWatch Logs.

use crate::clock::SystemClock;
use etl::ports::{Clock as _, Level, Log};
use serde_json::{Map, Value};
use std::{
    fmt,
    io::{Write as _, stdout},
    sync::{Mutex, PoisonError},
};

/// Writes one JSON object a line: `timestamp` (RFC 3339, UTC), `level`, `message`, `requestId` while there is one, then the fields.
#[derive(Debug, Default)]
pub struct JsonLog {
    clock: SystemClock,
    request_id: Mutex<Option<String>>,
}

impl JsonLog {
    /// From here on, lines are of this invocation.
    pub fn begin(&self, request_id: &str) {
        *self.request_id.lock().unwrap_or_else(PoisonError::into_inner) = Some(request_id.to_owned());
    }

    fn render(
        &self,
        now_ms: i64,
        level: Level,
        message: &str,
        fields: &[(&'static str, &dyn fmt::Display)],
    ) -> Vec<u8> {
        let mut line = Map::new();
        // The calendar ends in the year 9999; a clock that is beyond gives the number.
        let time = jiff::Timestamp::from_millisecond(now_ms);
        let time = time.map_or_else(|_| now_ms.to_string(), |time| format!("{time:.3}"));
        line.insert("timestamp".to_owned(), Value::String(time));
        line.insert("level".to_owned(), Value::from(name(level)));
        line.insert("message".to_owned(), Value::from(message));
        if let Some(id) = &*self.request_id.lock().unwrap_or_else(PoisonError::into_inner) {
            line.insert("requestId".to_owned(), Value::from(id.as_str()));
        }
        for (key, value) in fields {
            line.insert((*key).to_owned(), Value::String(value.to_string()));
        }
        let mut text = Value::Object(line).to_string().into_bytes();
        text.push(b'\n');
        text
    }
}

impl Log for JsonLog {
    fn line(&self, level: Level, message: &str, fields: &[(&'static str, &dyn fmt::Display)]) {
        let line = self.render(self.clock.now_ms(), level, message, fields);
        let mut out = stdout().lock();
        // There is nobody to tell when standard output is closed.
        let _ = out.write_all(&line).and_then(|()| out.flush());
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object_with_time_and_level() {
        let log = JsonLog::default();
        log.begin("r-1");
        let line = log.render(1_763_900_000_123, Level::Warn, "two\nlines", &[("code", &"ETL050"), ("events", &3)]);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "{\"timestamp\":\"2025-11-23T12:13:20.123Z\",\"level\":\"WARN\",\"message\":\"two\\nlines\",\"requestId\":\"r-1\",\"code\":\"ETL050\",\"events\":\"3\"}\n"
        );
    }
}
