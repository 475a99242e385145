//! Bodies on their way: compressed and described for a header, and opened again behind one.
//!
//! [`open_body`] compares everything that the header promises with what is there. Decompression writes into one buffer of
//! the promised length and stops at its end, so no frame can make a node allocate more than `limits::RAW_BODY_BYTES`.

use std::{cell::RefCell, collections::BTreeSet};

use starfish_crypto::Digest;
use zstd::bulk::Decompressor;

use crate::{limits, observable::Tld};

use super::{Body, BodyFault, Bundle, Header, RecordId, Scope};

/// zstd's own default: lists shrink three- to fivefold at several hundred MB/s.
const LEVEL: i32 = 3;
/// A bundle is split until its body leaves this much of `limits::BODY_BYTES`: a withdrawal of everything in it, with the
/// longest reason, must fit as well.
const WITHDRAWAL_ROOM: usize = 2 * limits::REASON_BYTES;

thread_local! {
    /// Making one takes longer than opening a small body with it. It keeps nothing from one frame for the next.
    static DECOMPRESSOR: RefCell<Decompressor<'static>> = RefCell::new(Decompressor::new().expect("memory for its tables"));
}

/// A body with everything that a header says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBody {
    /// The bytes that travel.
    pub compressed: Vec<u8>,
    /// Their BLAKE3 digest.
    pub digest: Digest,
    /// Length before compression in bytes.
    pub raw_len: u32,
    /// How many observables it holds.
    pub items: u32,
    /// The TLDs that it touches.
    pub scope: Option<Scope>,
    /// The content.
    pub body: Body,
}

impl SealedBody {
    /// Whether a header may carry it.
    pub fn fits(&self) -> bool {
        self.compressed.len() <= limits::BODY_BYTES
            && self.raw_len as usize <= limits::RAW_BODY_BYTES
            && self.items as usize <= limits::BODY_ITEMS
    }
}

/// Compresses a body and says what its header has to say.
///
/// A bundle of many file digests can be too large for any header, because they do not shrink: [`seal_parts`] splits it.
///
/// # Panics
/// When zstd finds no memory for its tables.
pub fn seal_body(body: Body) -> SealedBody {
    let raw = body.to_raw();
    let compressed =
        zstd::bulk::compress(&raw, LEVEL).expect("zstd compresses any bytes into a buffer of its own size");
    SealedBody {
        digest: Digest::from_bytes(*blake3::hash(&compressed).as_bytes()),
        // What exceeds 4 GiB does not fit, and is said to be as long as can be said.
        raw_len: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        items: u32::try_from(body.observables().len()).unwrap_or(u32::MAX),
        scope: Scope::of(body.tlds()),
        compressed,
        body,
    }
}

/// Seals a bundle in as few halves as fit into headers, in the order of their observables.
pub fn seal_parts(bundle: Bundle) -> Vec<SealedBody> {
    let mut waiting = vec![bundle];
    let mut parts = Vec::new();
    while let Some(mut bundle) = waiting.pop() {
        let sealed = seal_body(Body::Indicators(bundle.clone()));
        let small = sealed.compressed.len() + WITHDRAWAL_ROOM <= limits::BODY_BYTES;
        if (small && sealed.fits()) || bundle.observables.len() < 2 {
            parts.push(sealed);
            continue;
        }
        let later = bundle.observables.split_off(bundle.observables.len() / 2);
        let (confidence, context) = (bundle.confidence, bundle.context.clone());
        waiting.push(Bundle {
            confidence,
            context,
            observables: later,
        });
        waiting.push(bundle);
    }
    parts
}

/// Whether these are the bytes that the header names. `groups` answers the same while they still arrive.
pub fn check_digest(header: &Header, compressed: &[u8]) -> Result<(), BodyFault> {
    check_length(header, compressed)?;
    let right = blake3::hash(compressed).as_bytes() == header.body_digest.as_bytes();
    if right { Ok(()) } else { Err(BodyFault::Digest) }
}

fn check_length(header: &Header, compressed: &[u8]) -> Result<(), BodyFault> {
    if compressed.len() == header.compressed_len as usize {
        Ok(())
    } else {
        Err(BodyFault::Length)
    }
}

/// Opens the body of this header, digest included, and holds it against every promise of the header.
///
/// A body that this version may not interpret is taken unread; one of an unknown kind is only decompressed.
pub fn open_body(header: &Header, compressed: &[u8]) -> Result<Body, BodyFault> {
    check_digest(header, compressed)?;
    if !header.is_understood() {
        return Ok(Body::Unknown(Vec::new()));
    }
    let raw = decompress(compressed, header.raw_len as usize)?;
    let body = Body::from_raw(header.kind, &raw)?;
    match &body {
        Body::Indicators(_) => check_items(header, &body).and_then(|()| check_scope(header, &body))?,
        Body::Withdrawal(withdrawal) => check_answer(header, &body, withdrawal.target)?,
        Body::Opinion(opinion) => check_answer(header, &body, opinion.target)?,
        Body::Unknown(_) => {}
    }
    Ok(body)
}

fn decompress(compressed: &[u8], raw_len: usize) -> Result<Vec<u8>, BodyFault> {
    // `fits_together` has refused longer ones; a header that was built here may not have passed through it.
    if raw_len > limits::RAW_BODY_BYTES {
        return Err(BodyFault::RawLength);
    }
    // A second frame, or one that decoders skip, would hide bytes behind the body.
    if zstd::zstd_safe::find_frame_compressed_size(compressed) != Ok(compressed.len()) {
        return Err(BodyFault::Compression);
    }
    // In one piece zstd needs no window beside the output, whatever the frame asks for.
    let opened = DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.decompress(compressed, raw_len));
    let raw = opened.map_err(|_| BodyFault::Compression)?;
    if raw.len() == raw_len {
        Ok(raw)
    } else {
        Err(BodyFault::RawLength)
    }
}

fn check_items(header: &Header, body: &Body) -> Result<(), BodyFault> {
    if body.observables().len() == header.items as usize {
        Ok(())
    } else {
        Err(BodyFault::Items)
    }
}

fn check_scope(header: &Header, body: &Body) -> Result<(), BodyFault> {
    if header.extensions.scope == Scope::of(body.tlds()) {
        Ok(())
    } else {
        Err(BodyFault::Scope)
    }
}

/// A withdrawal or an opinion has its target's scope, so that it reaches everyone whom the target reached; it may name less than that.
fn check_answer(header: &Header, body: &Body, target: RecordId) -> Result<(), BodyFault> {
    check_items(header, body)?;
    if header.extensions.targets != [target] {
        return Err(BodyFault::Target);
    }
    let touched: BTreeSet<Tld> = body.tlds().collect();
    let covered = match &header.extensions.scope {
        None => touched.is_empty(),
        Some(Scope::Tlds(tlds)) => touched.is_subset(tlds),
        Some(Scope::Many) => true,
    };
    if covered { Ok(()) } else { Err(BodyFault::Scope) }
}
