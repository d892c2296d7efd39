//! Bytes over TCP and TLS.

use super::{far_side::Authority, runtime};
use bytes::Bytes;
use etl::ports::{Answer, Secret, TcpCall, Tls};
use etl_adapters::tcp::TcpClient;
use std::{io::Read as _, net::TcpListener, sync::Arc, thread};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};

fn call(port: u16, tls: Tls) -> TcpCall {
    let units = vec![Bytes::from_static(b"one\n"), Bytes::from_static(b"two\n")];
    TcpCall { host: "localhost".to_owned(), port, tls, before_each: Secret::new("KEY "), units }
}

fn send(client: TcpClient, call: TcpCall) -> Answer {
    let (tell, answer) = std::sync::mpsc::channel();
    runtime().spawn(async move { tell.send(client.send(&call).await) });
    answer.recv().unwrap()
}

/// A far side that reads to the end of one connection.
fn listen(tls: Option<Arc<ServerConfig>>) -> (u16, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("localhost:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reader = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = vec![];
        // Who refuses our certificate breaks off: then there is nothing to read.
        let _ = match tls {
            None => stream.read_to_end(&mut bytes),
            Some(config) => {
                let mut connection = ServerConnection::new(config).unwrap();
                Stream::new(&mut connection, &mut stream).read_to_end(&mut bytes)
            }
        };
        bytes
    });
    (port, reader)
}

const ALL: &[u8] = b"KEY one\nKEY two\n";

#[test]
fn each_unit_goes_out_behind_what_is_secret_and_the_connection_is_closed() {
    let (port, read) = listen(None);
    assert_eq!(send(TcpClient::default(), call(port, Tls::None)), Answer::Done(None));
    assert_eq!(read.join().unwrap(), ALL);
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_and_nothing_is_sent() {
    let config = Authority::new().server("localhost", &[]);
    let (port, read) = listen(Some(config));
    let Answer::Silence(reason) = send(TcpClient::default(), call(port, Tls::Verified)) else { panic!() };
    assert!(reason.contains("certificate"), "{reason}");
    assert!(read.join().unwrap().is_empty());
}

#[test]
fn a_certificate_that_is_trusted_or_not_to_be_checked_is_taken() {
    let authority = Authority::new();
    let config = authority.server("localhost", &[]);
    let (port, read) = listen(Some(Arc::clone(&config)));
    assert_eq!(send(TcpClient::with_root(authority.pem.as_bytes()), call(port, Tls::Verified)), Answer::Done(None));
    assert_eq!(read.join().unwrap(), ALL);
    let (port, read) = listen(Some(config));
    assert_eq!(send(TcpClient::default(), call(port, Tls::Unverified)), Answer::Done(None));
    assert_eq!(read.join().unwrap(), ALL);
}

#[test]
fn nobody_there_is_silence() {
    let Answer::Silence(reason) = send(TcpClient::default(), call(1, Tls::None)) else { panic!() };
    assert_eq!(reason, "Connection refused (os error 111)");
}
