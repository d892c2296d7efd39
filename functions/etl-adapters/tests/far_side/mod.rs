//! A far side on loopback that says what a test tells it to, and remembers what it was asked.

mod http2;
mod tls;

pub(crate) use http2::Http2;
use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};
pub(crate) use tls::Authority;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// `PUT /path`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What is said in return.
pub(crate) enum Say {
    /// Status, more headers, body.
    This(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// As much of the body, of which more was promised; then the connection is closed.
    Cut(u16, Vec<(&'static str, String)>, Vec<u8>, usize),
    /// Nothing: the connection is closed.
    Close,
    /// Nothing: the connection stays.
    Wait,
}

impl Say {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::This(status, vec![("content-type", "application/json".to_owned())], body.as_bytes().to_owned())
    }
}

/// The server. It ends with the test's process.
pub(crate) struct FarSide {
    pub(crate) address: String,
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FarSide {
    /// `say`: what is said to a request, and to the how manieth (from 0).
    pub(crate) fn new(say: impl Fn(&Asked, usize) -> Say + Send + Sync + 'static) -> Self {
        Self::serving(None, say)
    }

    /// The same over TLS.
    pub(crate) fn tls(tls: Arc<ServerConfig>, say: impl Fn(&Asked, usize) -> Say + Send + Sync + 'static) -> Self {
        Self::serving(Some(tls), say)
    }

    fn serving(tls: Option<Arc<ServerConfig>>, say: impl Fn(&Asked, usize) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://127.0.0.1:{port}");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (say, all) = (Arc::new(say), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (say, all, tls) = (Arc::clone(&say), Arc::clone(&all), tls.clone());
                let stream = stream.unwrap();
                thread::spawn(move || match tls {
                    None => serve(stream, &*say, &all),
                    Some(tls) => serve(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), &*say, &all),
                });
            }
        });
        Self { address, port, asked }
    }

    /// All requests until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: impl Read + Write, say: &dyn Fn(&Asked, usize) -> Say, all: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let nth = {
            let mut all = all.lock().unwrap();
            all.push(asked.clone());
            all.len() - 1
        };
        let (status, headers, body, promised) = match say(&asked, nth) {
            Say::This(status, headers, body) => (status, headers, body.clone(), body.len()),
            Say::Cut(status, headers, body, promised) => (status, headers, body, promised),
            Say::Close => return,
            Say::Wait => loop {
                thread::park();
            },
        };
        let more: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {promised}\r\n{}\r\n", more.concat());
        let stream = reader.get_mut();
        // Who asked may be gone.
        let sent = [head.as_bytes(), &body].into_iter().try_for_each(|part| stream.write_all(part));
        let sent = sent.and_then(|()| stream.flush());
        if sent.is_err() || body.len() != promised {
            return;
        }
    }
}

fn read(reader: &mut BufReader<impl Read>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let mut asked = Asked { method: words.next()?.to_owned(), target: words.next()?.to_owned(), ..Asked::default() };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        asked.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    if asked.header("transfer-encoding") == Some("chunked") {
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            let size = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            asked.body.extend_from_slice(&chunk[..size]);
        }
    } else {
        asked.body = vec![0; asked.header("content-length").map_or(0, |n| n.parse().unwrap())];
        reader.read_exact(&mut asked.body).ok()?;
    }
    Some(asked)
}
