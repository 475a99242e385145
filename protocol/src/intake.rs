//! From bytes to verified values: the first arrow of the flow, free of state so that it can run off the event loop.
//!
//! [`open_gossip`], [`open_request`] and [`open_response`] decode, check the signatures of headers and statements, and
//! say whose fault it is when they cannot. What they return is all that the engine ever sees of the network.
//!
//! Whoever passes on the bytes that a header names is never blamed for what they decode to: only their digest is a
//! promise of the sender's. A body that does not open is left out here, and pulled and judged by itself.

use serde::Deserialize;
use starfish_crypto::{Digest, Signed, Verified, Verifier, VerifyError};
use thiserror::Error;

use crate::{
    codec, limits,
    record::{Audience, Body, Header, check_digest, open_body},
    statement::{CheckError, CheckedStatement, Checker, Statement},
    wire::{Channel, Cursor, FRAME_BYTES, GOSSIP_BYTES, Gossip, Hello, Request, Response},
};

/// Why a message was not accepted. Each of these is provably the fault of whoever made it.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not a message of this protocol.
    #[error("the message does not decode")]
    Malformed,
    /// The signature is not the author's.
    #[error("the signature does not fit")]
    Signature,
    /// The bytes are not what the signed header promises.
    #[error("the body is not what its header says")]
    Body,
    /// What is TLP:GREEN was gossiped to everyone, or the reverse.
    #[error("the message came over a mesh that it does not belong to")]
    Channel,
}

/// A gossip message whose signatures hold.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most of them are the large one, and each is moved a few times"
)]
pub enum OpenGossip {
    /// A header, with its body when that rode along and can be opened.
    Header {
        /// The header.
        header: Verified<Header>,
        /// The compressed body and what it says.
        body: Option<(Vec<u8>, Body)>,
    },
    /// Statements, still to be judged by the roster, which knows the roots.
    Statements(OpenStatements),
}

/// The statements of one message, as far as they make sense here.
#[derive(Debug)]
pub struct OpenStatements {
    /// In the order of the message.
    pub checked: Vec<CheckedStatement>,
    /// How many the message held.
    pub told: usize,
}

/// A greeting whose statements are checked.
pub type OpenHello = Hello<CheckedStatement>;

/// A request that decodes, with the signatures of a push checked.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most of them are the large one, and each is moved a few times"
)]
pub enum OpenRequest {
    /// A pushed body with its header.
    Push {
        /// The header.
        header: Verified<Header>,
        /// The compressed body and what it says, when it can be opened.
        body: Option<(Vec<u8>, Body)>,
    },
    /// Somebody introduces itself.
    Hello(OpenHello),
    /// Somebody introduces itself with a code.
    Pair {
        /// The secret part of the code.
        secret: [u8; 5],
        /// Who is asking.
        hello: OpenHello,
    },
    /// Anything else, as it came.
    Plain(Request),
}

/// An answer that decodes, with the signatures of headers checked.
#[derive(Debug)]
pub enum OpenResponse {
    /// Headers in the order of the answer.
    Headers(Vec<Verified<Header>>),
    /// Who the other side is.
    Hello(OpenHello),
    /// Statements, where to go on with them, and whether more follow at once.
    Statements(OpenStatements, Cursor, bool),
    /// Anything else, as it came.
    Plain(Response),
}

fn header(signed: Signed, verifier: &dyn Verifier) -> Result<Verified<Header>, Fault> {
    signed.verify::<Header>(verifier).map_err(|error| match error {
        VerifyError::Malformed(_) => Fault::Malformed,
        _ => Fault::Signature,
    })
}

fn with_body(header: &Header, compressed: Vec<u8>) -> Result<Option<(Vec<u8>, Body)>, Fault> {
    check_digest(header, &compressed).map_err(|_| Fault::Body)?;
    Ok(open_body(header, &compressed).ok().map(|body| (compressed, body)))
}

/// More than the protocol allows in one message.
fn at_most<T>(list: Vec<T>, most: usize) -> Result<Vec<T>, Fault> {
    if list.len() <= most {
        Ok(list)
    } else {
        Err(Fault::Malformed)
    }
}

/// Checks each of them. Those that make no sense to this version are left out, at no fault of anyone.
fn statements(list: Vec<Statement>, checker: &dyn Checker) -> Result<OpenStatements, Fault> {
    let told = list.len();
    let mut checked = Vec::with_capacity(told);
    for statement in at_most(list, limits::STATEMENTS_PER_ANSWER)? {
        match checker.check(statement) {
            Ok(statement) => checked.push(statement),
            Err(CheckError::Forged) => return Err(Fault::Signature),
            Err(CheckError::Malformed(_)) => {}
        }
    }
    Ok(OpenStatements { checked, told })
}

fn hello(mut hello: Hello, checker: &dyn Checker) -> Result<OpenHello, Fault> {
    hello.statements.truncate(limits::HELLO_STATEMENTS);
    Ok(Hello {
        community: hello.community,
        statements: statements(hello.statements, checker)?.checked,
        topics: hello.topics,
        tlds: hello.tlds,
        records: hello.records,
        wall: hello.wall,
    })
}

/// Opens the payload of a gossip message.
///
/// A broken copy of a genuine header with a wrong inline body fails as a whole: the genuine one has another message id.
/// So has every other encoding of one message, of which the decoder would take many: only the one that this node would
/// make is taken. What is TLP:GREEN comes over its own mesh and nothing else does: a message is passed on where it came from.
pub fn open_gossip(channel: Channel, payload: &[u8], checker: &dyn Checker) -> Result<OpenGossip, Fault> {
    let gossip: Gossip = codec::decode(payload, GOSSIP_BYTES).map_err(|_| Fault::Malformed)?;
    if codec::encode(&gossip) != payload {
        return Err(Fault::Malformed);
    }
    Ok(match gossip {
        Gossip::Header { header: signed, body } => {
            let header = header(signed, checker)?;
            belongs(header.audience == Audience::Green, channel)?;
            let body = body
                .map(|bytes| at_most(bytes, limits::INLINE_BODY_BYTES))
                .transpose()?;
            let body = body
                .map(|compressed| with_body(&header, compressed))
                .transpose()?
                .flatten();
            OpenGossip::Header { header, body }
        }
        Gossip::Statements(list) => {
            belongs(false, channel)?;
            OpenGossip::Statements(statements(list, checker)?)
        }
    })
}

fn belongs(green: bool, channel: Channel) -> Result<(), Fault> {
    if green == (channel == Channel::Green) {
        Ok(())
    } else {
        Err(Fault::Channel)
    }
}

/// Opens a request frame.
pub fn open_request(frame: &[u8], checker: &dyn Checker) -> Result<OpenRequest, Fault> {
    Ok(match codec::decode(frame, FRAME_BYTES).map_err(|_| Fault::Malformed)? {
        Request::Push { header: signed, body } => {
            let header = header(signed, checker)?;
            let body = with_body(&header, body)?;
            OpenRequest::Push { header, body }
        }
        Request::Hello(other) => OpenRequest::Hello(hello(other, checker)?),
        Request::Pair { secret, hello: other } => {
            let hello = hello(other, checker)?;
            OpenRequest::Pair { secret, hello }
        }
        request => OpenRequest::Plain(request),
    })
}

/// Which body a request frame pushes, from its beginning: long before [`open_request`] can check it, so that nobody is
/// asked for what is on its way. None of any other request.
pub fn pushed_body(beginning: &[u8]) -> Option<Digest> {
    /// A request, in the layout of [`Request`] up to the header of a push.
    #[derive(Deserialize)]
    enum Beginning {
        Hello,
        Frontier,
        Range,
        Statements,
        Body,
        Push { header: Signed },
    }
    match codec::decode_beginning(beginning) {
        Ok(Beginning::Push { header }) => Header::decode(header.bytes()).ok().map(|header| header.body_digest),
        _ => None,
    }
}

/// Opens an answer that has been read whole.
pub fn open_response(response: Response, checker: &dyn Checker) -> Result<OpenResponse, Fault> {
    Ok(match response {
        Response::Headers(headers) => {
            let headers = at_most(headers, limits::RANGE_HEADERS)?.into_iter();
            OpenResponse::Headers(
                headers
                    .map(|signed| header(signed, checker))
                    .collect::<Result<_, _>>()?,
            )
        }
        Response::Hello(other) => OpenResponse::Hello(hello(other, checker)?),
        Response::Statements {
            statements: list,
            cursor,
            more,
        } => OpenResponse::Statements(statements(list, checker)?, cursor, more),
        Response::Heads {
            heads,
            cursor,
            more,
            statements,
        } => {
            let heads = at_most(heads, limits::FRONTIER_HEADS)?;
            OpenResponse::Plain(Response::Heads {
                heads,
                cursor,
                more,
                statements,
            })
        }
        response => OpenResponse::Plain(response),
    })
}
