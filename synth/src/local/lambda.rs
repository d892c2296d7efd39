//! Lambda on this machine, for one invocation: the [Runtime API] that a function's own binary asks for work.
//!
//! What the function does with it is real: with the credentials and endpoints of the environment it reads and delivers.
//!
//! [Runtime API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use etl::event::Context as Invocation;
use serde_json::Value;

/// How often the function is looked after while it works.
const LOOK: Duration = Duration::from_millis(100);
/// The most of an answer that is read: Lambda takes 6 MB.
const MOST: u64 = 16 << 20;

/// The id of an invocation that nobody has named.
pub const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// What the function answered: a document, or an error's text.
pub type Answer = Result<Value, String>;

/// Starts `program` with `env` beside the variables of this process, hands it one event, and ends it when it has answered. What it
/// logs goes to stderr.
pub fn invoke(
    program: &Path,
    env: &[(OsString, OsString)],
    event: &[u8],
    invocation: &Invocation,
    deadline_ms: i64,
) -> anyhow::Result<Answer> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen on loopback")?;
    let address = listener.local_addr().context("cannot listen on loopback")?;
    let text = |value: &Option<String>, otherwise: &str| value.clone().unwrap_or_else(|| otherwise.to_owned());
    let name = text(&invocation.function_name, "local");
    let child = Command::new(program)
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", &name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", text(&invocation.function_version, "$LATEST"))
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", text(&invocation.log_group_name, ""))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", text(&invocation.log_stream_name, ""))
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::from(io::stderr()))
        .spawn()
        .with_context(|| format!("cannot start the function `{}`", program.display()))?;
    let mut child = Ended(child);
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{name}");
    let work = Arc::new(Work {
        event: event.to_vec(),
        request_id: text(&invocation.aws_request_id, REQUEST_ID),
        arn: text(&invocation.invoked_function_arn, &arn),
        deadline_ms,
    });
    let (answers, arrived) = channel();
    // Ends with the process: there is nobody left to connect.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (work, answers) = (Arc::clone(&work), answers.clone());
            thread::spawn(move || serve(stream, &work, &answers));
        }
    });
    loop {
        match arrived.recv_timeout(LOOK) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.0.try_wait().context("cannot look after the function")? {
                    bail!("the function ended before it answered ({status})");
                }
            }
            Err(RecvTimeoutError::Disconnected) => bail!("the function cannot be answered any more"),
        }
    }
}

/// A process that does not outlive its use.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Work {
    event: Vec<u8>,
    request_id: String,
    arn: String,
    deadline_ms: i64,
}

/// Answers the requests of one connection until it ends. A function that asks for more work after its answer waits: it is ended then.
fn serve(stream: TcpStream, work: &Work, answers: &Sender<Answer>) -> io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        match request.path.rsplit('/').next().unwrap_or_default() {
            "next" => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: {}\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
                     Lambda-Runtime-Invoked-Function-Arn: {}\r\nLambda-Runtime-Trace-Id: \r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    work.request_id,
                    work.deadline_ms,
                    work.arn,
                    work.event.len()
                );
                writer.write_all(head.as_bytes())?;
                writer.write_all(&work.event)?;
            }
            last @ ("response" | "error") => {
                writer.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
                // Whoever asked may have gone.
                let _ = answers.send(answer(last == "error", &request.body));
            }
            _ => writer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
        writer.flush()?;
    }
    Ok(())
}

fn answer(failed: bool, body: &[u8]) -> Answer {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    if !failed {
        return Ok(document);
    }
    Err(document["errorMessage"].as_str().unwrap_or("the function failed and did not say why").to_owned())
}

struct Request {
    path: String,
    body: Vec<u8>,
}

impl Request {
    /// The next request; `None` at the end of the connection.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.take(MOST).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut chunked) = (0, false);
        loop {
            line.clear();
            if reader.take(MOST).read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().map_err(|_| ErrorKind::InvalidData)?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = value.eq_ignore_ascii_case("chunked");
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                line.clear();
                reader.take(MOST).read_line(&mut line)?;
                let size = line.trim().split(';').next().unwrap_or_default();
                let size = u64::from_str_radix(size, 16).map_err(|_| ErrorKind::InvalidData)?;
                exactly(reader, size, &mut body)?;
                // Each chunk ends in a line break of its own, and so does the whole, as nobody sends trailers here.
                line.clear();
                reader.take(MOST).read_line(&mut line)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            exactly(reader, length, &mut body)?;
        }
        Ok(Some(Self { path, body }))
    }
}

fn exactly(reader: &mut impl BufRead, size: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let before = body.len() as u64;
    if before + size > MOST {
        return Err(ErrorKind::InvalidData.into());
    }
    reader.take(size).read_to_end(body)?;
    if body.len() as u64 == before + size { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> io::Result<Option<Request>> {
        Request::read(&mut BufReader::new(text.as_bytes()))
    }

    #[test]
    fn a_request_is_read_whole_or_chunk_by_chunk() {
        let whole = request("POST /a/response HTTP/1.1\r\nHost: x\r\ncontent-length: 4\r\n\r\nnull").unwrap().unwrap();
        assert_eq!((whole.path.as_str(), whole.body.as_slice()), ("/a/response", &b"null"[..]));
        let chunks =
            "POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n4;x=y\r\na\":1\r\n1\r\n}\r\n0\r\n\r\n";
        assert_eq!(request(chunks).unwrap().unwrap().body, b"{\"a\":1}");
        assert!(request("").unwrap().is_none());
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        for odd in [
            "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nnull",
            "POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            "POST / HTTP/1.1\r\n",
        ] {
            assert!(request(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn an_error_is_its_message() {
        assert_eq!(answer(true, br#"{"errorType":"Config","errorMessage":"no config"}"#), Err("no config".to_owned()));
        assert_eq!(answer(false, b"{\"batchItemFailures\":[]}").unwrap()["batchItemFailures"], Value::Array(vec![]));
        assert!(answer(true, b"").is_err());
    }
}
