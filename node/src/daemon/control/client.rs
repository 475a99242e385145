//! The command line's side of the socket: a [`Client`] asks one thing a connection and turns every refusal into a
//! [`Failure`] with its exit code.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

use super::{LINE_BYTES, check_path, documents::Complaint, query, socket};
use crate::daemon::exit::{Exit, Failure};

/// An answer that is one document may have so many bytes: a list's refused lines may be many.
const ANSWER_BYTES: usize = 64 << 20;

/// Asks the node of one data directory.
#[derive(Clone, Debug)]
pub struct Client {
    data: PathBuf,
}

impl Client {
    /// For the node of this data directory, running or not.
    pub fn of(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When the node is not running or refuses.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.send(Method::GET, path, Bytes::new()).await?;
        document(answer).await
    }

    /// Sends a document and reads one.
    ///
    /// # Errors
    /// When the node is not running or refuses.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, asked: &impl Serialize) -> Result<T, Failure> {
        let body = serde_json::to_vec(asked).map_err(|error| Failure::machine("cannot write the request", error))?;
        document(self.send(Method::POST, path, body.into()).await?).await
    }

    /// Sends a text with parameters and reads a document.
    ///
    /// # Errors
    /// When the node is not running or refuses.
    pub async fn send_text<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
        text: Vec<u8>,
    ) -> Result<T, Failure> {
        document(
            self.send(Method::POST, &query::address(path, parameters), text.into())
                .await?,
        )
        .await
    }

    /// Opens a stream of documents, one a line.
    ///
    /// # Errors
    /// When the node is not running or refuses.
    pub async fn lines(&self, method: Method, path: &str, parameters: &[(&str, String)]) -> Result<Lines, Failure> {
        let answer = self
            .send(method, &query::address(path, parameters), Bytes::new())
            .await?;
        Ok(Lines {
            body: answer.into_body(),
            held: Vec::new(),
            read: 0,
        })
    }

    async fn send(&self, method: Method, address: &str, body: Bytes) -> Result<Response<Incoming>, Failure> {
        check_path(&self.data)?;
        let socket = socket(&self.data);
        let stream = UnixStream::connect(&socket)
            .await
            .map_err(|error| not_running(&socket, &error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        tokio::spawn(connection);
        let kind = if body.first() == Some(&b'{') {
            "application/json"
        } else {
            "text/plain; charset=utf-8"
        };
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header("host", "starfish")
            .header("content-type", kind)
            .body(Full::new(body))
            .map_err(|error| Failure::machine("cannot write the request", error))?;
        let answer = sender.send_request(request).await.map_err(lost)?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(complaint(answer).await)
        }
    }
}

/// A stream of documents.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    held: Vec<u8>,
    read: usize,
}

impl Lines {
    /// The next line without its end; none when the stream ended as it should.
    ///
    /// # Errors
    /// When the node went away, or had to stop before everything was said.
    pub async fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(end) = self.held.iter().skip(self.read).position(|byte| *byte == b'\n') {
                let line = self.held.get(self.read..self.read + end).unwrap_or_default().to_vec();
                self.read += end + 1;
                return String::from_utf8(line).map(Some).map_err(|_| broken("it is not UTF-8"));
            }
            self.held.drain(..std::mem::take(&mut self.read));
            if self.held.len() > LINE_BYTES {
                return Err(broken("a line is too long"));
            }
            match self.body.frame().await {
                None if self.held.is_empty() => return Ok(None),
                None => return Err(broken("it ends inside a line")),
                Some(frame) => {
                    let frame = frame.map_err(|_| broken("the node stopped it; its log says why"))?;
                    self.held.extend(frame.into_data().unwrap_or_default());
                }
            }
        }
    }

    /// The next document, read.
    ///
    /// # Errors
    /// As [`Lines::next`], or when the document is not what was expected.
    pub async fn next_document<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Failure> {
        self.next().await?.map(|line| read(&line)).transpose()
    }

    /// The next bytes as they come; none at the end.
    ///
    /// # Errors
    /// When the node went away, or had to stop before everything was said.
    pub async fn next_bytes(&mut self) -> Result<Option<Bytes>, Failure> {
        match self.body.frame().await {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(_)) => Err(broken("the node stopped it; its log says why")),
        }
    }
}

/// A document in a line.
///
/// # Errors
/// When it is not what was expected.
pub fn read<T: DeserializeOwned>(line: &str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|error| broken(&error.to_string()))
}

async fn document<T: DeserializeOwned>(answer: Response<Incoming>) -> Result<T, Failure> {
    let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
    let bytes = body
        .map_err(|error| Failure::machine("the node's answer broke off", error))?
        .to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| broken(&error.to_string()))
}

async fn complaint(answer: Response<Incoming>) -> Failure {
    let status = answer.status();
    match document::<Complaint>(answer).await {
        Ok(Complaint { exit, message }) => Failure::new(Exit::from_code(exit).unwrap_or(Exit::Failed), message),
        Err(_) => Failure::new(
            Exit::Failed,
            format!("the node answered {status}; is it of another version?"),
        ),
    }
}

fn not_running(socket: &Path, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
    match error.kind() {
        NotFound if !socket.parent().is_some_and(Path::exists) => Failure::new(
            Exit::NotRunning,
            format!(
                "there is no node in {}: make one with `starfish init`, or name another directory with --data",
                socket.parent().unwrap_or(socket).display()
            ),
        ),
        NotFound | ConnectionRefused => Failure::new(
            Exit::NotRunning,
            format!(
                "no node is running in {}: start it with `starfish run`, or name another directory with --data",
                socket.parent().unwrap_or(socket).display()
            ),
        ),
        PermissionDenied => Failure::new(
            Exit::Failed,
            format!("{}: only the node's own user may talk to it", socket.display()),
        ),
        _ => Failure::machine(socket.display(), error),
    }
}

fn lost(error: hyper::Error) -> Failure {
    Failure::new(
        Exit::NotRunning,
        format!(
            "the node went away before it answered ({error}): what was asked may have been done, so look before you ask again"
        ),
    )
}

fn broken(why: &str) -> Failure {
    Failure::new(Exit::Incomplete, format!("the node's answer is not whole: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_node_the_remedy_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let check = |failure: Failure| {
            assert_eq!(failure.exit, Exit::NotRunning, "{failure}");
            assert!(failure.message.contains("starfish run"), "{failure}");
        };
        let asked = || async { Client::of(folder.path()).get::<serde_json::Value>("/status").await };
        check(asked().await.expect_err("there is no socket"));
        // A socket that a killed node left behind.
        drop(std::os::unix::net::UnixListener::bind(socket(folder.path())).expect("a socket can be made"));
        check(asked().await.expect_err("nobody listens"));
    }
}
