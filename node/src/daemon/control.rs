//! The socket between the command line and the running node: HTTP with JSON over a Unix socket in the data directory,
//! which only the node's own user may open. Streams are JSON documents, one a line.
//!
//! | part | what it is |
//! |---|---|
//! | `documents` | what both sides say |
//! | `query` | parameters in an address |
//! | `client` | the side of the command line |
//! | `server` | the side of the node |

pub mod client;
pub mod documents;
pub mod query;
pub mod server;

use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};

/// The socket's name in the data directory.
pub const SOCKET: &str = "control.sock";
/// A list to publish may have so many bytes; a day of 50,000 names has 600,000.
pub const LIST_BYTES: usize = 64 << 20;
/// One document may have so many bytes.
pub const DOCUMENT_BYTES: usize = 1 << 20;
/// One line of a stream may have so many bytes: an entry may be about a full body.
pub const LINE_BYTES: usize = 8 << 20;
/// What a Unix socket's path may hold on the narrowest platform, its final zero included.
const PATH_BYTES: usize = 104;

/// Where a data directory's socket is.
pub fn socket(data: &Path) -> PathBuf {
    data.join(SOCKET)
}

/// Refuses a data directory whose socket no platform could name.
///
/// # Errors
/// When the path is too long.
pub fn check_path(data: &Path) -> Result<(), Failure> {
    let (path, room) = (socket(data), PATH_BYTES - 1);
    let length = path.as_os_str().len();
    if length <= room {
        return Ok(());
    }
    let message = format!(
        "{}: the path of the control socket has {length} bytes and a Unix socket's has room for {room}; use a data \
        directory with a shorter path (--data)",
        path.display()
    );
    Err(Failure::new(Exit::Configuration, message))
}
