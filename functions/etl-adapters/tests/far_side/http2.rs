//! A far side that speaks HTTP/2 over TLS and nothing else, and answers when as many requests as it wants are there at once.

use super::Asked;
use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};
use tokio::{runtime::Builder, sync::Barrier};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// The server. It ends with the test's process.
pub(crate) struct Http2 {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<(usize, Asked)>>>,
}

impl Http2 {
    /// No request is answered before `together` are under way on its connection.
    pub(crate) fn new(tls: Arc<ServerConfig>, together: usize) -> Self {
        let listener = TcpListener::bind("localhost:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&asked);
        thread::spawn(move || {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                for number in 0.. {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (tls, all) = (TlsAcceptor::from(Arc::clone(&tls)), Arc::clone(&all));
                    tokio::spawn(async move {
                        // Who does not trust us breaks off.
                        let Ok(stream) = tls.accept(stream).await else { return };
                        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
                        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                        let barrier = Arc::new(Barrier::new(together));
                        while let Some(Ok((request, respond))) = connection.accept().await {
                            tokio::spawn(answer(request, respond, number, Arc::clone(&all), Arc::clone(&barrier)));
                        }
                    });
                }
            });
        });
        Self { port, asked }
    }

    /// All requests until now, each with the number of its connection.
    pub(crate) fn asked(&self) -> Vec<(usize, Asked)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    connection: usize,
    all: Arc<Mutex<Vec<(usize, Asked)>>>,
    barrier: Arc<Barrier>,
) {
    assert_eq!(request.version(), http::Version::HTTP_2);
    let (head, mut stream) = request.into_parts();
    let mut body = vec![];
    while let Some(part) = stream.data().await {
        let part = part.unwrap();
        stream.flow_control().release_capacity(part.len()).unwrap();
        body.extend_from_slice(&part);
    }
    let header =
        |(name, value): (&http::HeaderName, &http::HeaderValue)| (name.to_string(), value.to_str().unwrap().to_owned());
    let target = head.uri.path_and_query().unwrap().to_string();
    let headers = head.headers.iter().map(header).collect();
    all.lock().unwrap().push((connection, Asked { method: head.method.to_string(), target, headers, body }));
    barrier.wait().await;
    let ok = http::Response::new(());
    respond.send_response(ok, true).unwrap();
}
