//! The node's side of the socket: [`serve`] answers until the node stops.
//!
//! | part | what it answers |
//! |---|---|
//! | `node`, `names` | what the handlers share |
//! | `records` | publish, withdraw, opinions, what is decided on held records |
//! | `streams` | search, watch, backup, quarantine, audit |
//! | `peers` | peers, topics, subscriptions |
//! | `trust` | invitations, pairing, trust and its reasons, blocking |
//! | `statements` | statements that were carried by hand, and who the others are |
//! | `status` | status, id, metrics |

mod names;
mod node;
mod peers;
mod records;
mod statements;
mod status;
mod streams;
mod trust;

use std::{io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{net::UnixListener, time::sleep};

use super::{DOCUMENT_BYTES, LIST_BYTES, documents::Complaint, socket};
use crate::daemon::exit::{Exit, Failure};

pub use node::{Node, Parts};

/// How long requests may still take when the node stops.
const GRACE: Duration = Duration::from_secs(3);

/// What a handler gives back.
type Answer<T> = Result<Json<T>, Refused>;

/// A failure on its way to the command line.
#[derive(Debug)]
struct Refused(Failure);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Failure { exit, message } = self.0;
        let status = match exit {
            Exit::Usage => StatusCode::BAD_REQUEST,
            Exit::Refused | Exit::Configuration => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (
            status,
            Json(Complaint {
                exit: exit.code(),
                message,
            }),
        )
            .into_response()
    }
}

/// The operator's mistake, in words.
fn usage(message: impl ToString) -> Refused {
    Refused(Failure::new(Exit::Usage, message.to_string()))
}

/// Opens the socket of a data directory whose lock this process holds, so that a socket found there is a dead one's.
///
/// # Errors
/// When the file system does not take a socket there.
pub fn listen(data: &Path) -> io::Result<UnixListener> {
    let path = socket(data);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `folder::check` made sure that the data directory is the user's alone, so nobody comes in before the mode is set.
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the node stops; requests that are under way then still end within [`GRACE`], streams are cut.
///
/// # Errors
/// When the socket breaks.
pub async fn serve(listener: UnixListener, node: Arc<Node>) -> io::Result<()> {
    let (stopping, stopped) = (node.stopping(), node.stopping());
    let served = axum::serve(listener, routes(node)).with_graceful_shutdown(stopping);
    let late = async {
        stopped.await;
        sleep(GRACE).await;
    };
    served_before(served.into_future(), late).await
}

/// Does not wait for readers that stand still: they keep their connections for as long as they like.
async fn served_before(served: impl Future<Output = io::Result<()>>, late: impl Future<Output = ()>) -> io::Result<()> {
    tokio::select! {
        served = served => served,
        () = late => {
            tracing::info!("a request was cut off, because its reader took nothing for {GRACE:?}");
            Ok(())
        }
    }
}

fn routes(node: Arc<Node>) -> Router {
    Router::new()
        .route(
            "/publish",
            post(records::publish).layer(DefaultBodyLimit::max(LIST_BYTES)),
        )
        .route("/withdraw", post(records::withdraw))
        .route("/search", get(streams::search))
        .route("/watch", get(streams::watch))
        .route("/backup", post(streams::backup))
        .route("/peers", get(peers::peers))
        .route("/topics", get(peers::topics).post(peers::subscribe))
        .route("/invite", post(trust::invite))
        .route("/pair", post(trust::pair))
        .route("/trust", post(trust::trust))
        .route("/block", post(trust::block))
        .route("/roots", post(trust::root))
        .route("/pins", post(trust::pin))
        .route("/trusted", get(trust::trusted))
        .route("/known", get(trust::known))
        .route("/reasons", get(trust::explain))
        .route("/graph", get(trust::graph))
        .route("/sure", get(trust::sure))
        .route("/statements", post(statements::tell))
        .route("/chain", get(statements::chain))
        .route("/organisations", get(statements::organisations))
        .route("/opine", post(records::opine))
        .route("/quarantine", get(streams::quarantine).post(records::decide))
        .route("/held", get(records::held))
        .route("/audit", get(streams::audit))
        .route("/status", get(status::status))
        .route("/id", get(status::id))
        .route("/metrics", get(status::metrics))
        .layer(DefaultBodyLimit::max(DOCUMENT_BYTES))
        .with_state(node)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_reader_that_stands_still_keeps_nobody_waiting() {
        assert!(served_before(pending(), ready(())).await.is_ok());
        let broken = async { Err(io::Error::other("the socket broke")) };
        assert!(served_before(broken, pending()).await.is_err());
    }
}
