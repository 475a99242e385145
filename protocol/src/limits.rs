//! Every bound of the protocol, each with its reason (design, protocol 8). A bound that others must obey too is part of the
//! protocol: changing it needs a new version of what it bounds. The others are this node's own and may differ.

use crate::time::Millis;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

// -- A header, the same for everyone.

/// The longest header in bytes: 256 of them fit into one answer, and one fits into any gossip message.
pub const HEADER_BYTES: usize = 1_024;
/// The longest topic in bytes: a path of a few words that an operator can read in one column.
pub const TOPIC_BYTES: usize = 48;
/// How many extensions a header may carry: far more than the versions in sight need, few enough to check in a loop.
pub const EXTENSIONS: usize = 16;
/// The longest list of TLDs in a `scope`, in bytes with its lengths; what touches more is `many` (design, protocol 2).
pub const SCOPE_BYTES: usize = 400;
/// How many records one header withdraws or supersedes: eight digests leave room for the longest scope and topic.
pub const TARGETS: usize = 8;
/// How many parts one publication may be split into: as many headers as may be pending ahead of a known head.
pub const SET_PARTS: u32 = 4_096;

// -- A body, the same for everyone.

/// The longest compressed body in bytes: it passes a 1 Mbit/s line in about two seconds.
pub const BODY_BYTES: usize = 256 * 1_024;
/// The longest body before compression, in bytes: what one decompression may allocate.
pub const RAW_BODY_BYTES: usize = 1_024 * 1_024;
/// How many observables one body holds: one append of the store stays within a second.
pub const BODY_ITEMS: usize = 10_000;
/// The longest context of a bundle in bytes: a paragraph; reports go into other kinds.
pub const CONTEXT_BYTES: usize = 1_024;
/// The longest reason of a withdrawal in bytes: two sentences that every output can show.
pub const REASON_BYTES: usize = 512;
/// How many observables one opinion is on: what an analyst looks at in one sitting, and what a store writes in one batch.
pub const OPINION_ITEMS: usize = 100;
/// The highest confidence: a percentage.
pub const CONFIDENCE: u8 = 100;
/// The longest compressed body that rides inside a gossip message: above it, copies cost more than a pull (design, protocol 4.2).
pub const INLINE_BODY_BYTES: usize = 2_048;

// -- Logs and time.

/// How far ahead of a known head a header may be and still be pending: one whole publication.
pub const SEQ_AHEAD: u64 = 4_096;
/// How many epochs of one log may open in a day: restores are rare, and each epoch costs a head in every frontier.
pub const EPOCHS_PER_DAY: usize = 8;
/// How far in the future a record may be created, and how far two clocks may differ before nothing is deleted.
pub const CLOCK_TOLERANCE: Millis = Millis(10 * MINUTE);
/// The longest life of a record: a year, and time to renew it.
pub const LIFETIME: Millis = Millis(400 * DAY);

// -- What one organisation or one peer may cost this node.

/// How many headers a minute one organisation may send for long.
pub const HEADERS_PER_MINUTE: u64 = 60;
/// How many headers it may send at once: one day of 50,000 generated names is more than 110 records, and several such
/// days must not wait for the minute's quota.
pub const HEADER_BURST: u64 = 1_024;
/// How long a spent burst takes to refill: at [`HEADERS_PER_MINUTE`].
pub const HEADER_BURST_REFILL: Millis = Millis(HEADER_BURST * MINUTE / HEADERS_PER_MINUTE);
/// How many bytes of compressed bodies one organisation may announce in a day.
pub const BODY_BYTES_PER_DAY: u64 = 200_000_000;
/// How many bodies of one author may be wanted and not here; beyond that its headers wait for a later look. More than one
/// publication of a 50,000-name list, so that the main case never stalls.
pub const UNRESOLVED_BODIES_PER_AUTHOR: usize = 256;
/// How many organisations have quotas that are remembered: more than there are national CERTs and registries.
pub const ORGANISATIONS: usize = 4_096;
/// How many peers have quotas that are remembered: several times the connections of one node.
pub const PEERS: usize = 512;
/// How many peers without a right to connect are connected all the same: a fifth of the places.
pub const GUESTS: usize = 20;
/// In how many scopes one organisation is believed: its own endorsements seldom have more than three, and each observable
/// of each of its records is held against all of them.
pub const ACCEPTED_SCOPES: usize = 64;
/// How many lines of the audit log are kept, the newest: years of an operator's decisions, and a hub of the web of trust
/// whose word moves thousands of organisations must not fill a disk with them.
pub const AUDIT_LINES: u64 = 1_000_000;
/// The longest text in a line of the audit log, in bytes: a reason of somebody else's, and some words around it.
pub const AUDIT_TEXT_BYTES: usize = 1_024;
/// What an organisation that was introduced by another may cost, with all behind it: this part of what its introducer still
/// has left for everybody. So a few cannot take all, and whoever comes after many still gets something.
pub const INTRODUCED_SHARE: u64 = 4;
/// How many organisations are judged anew in one step: each takes about a millisecond, where it is not said much of it.
pub const JUDGED_PER_STEP: usize = 32;
/// How many endorsements and scopes are looked at for that before the others wait for the next step: some 30 ms.
pub const JUDGED_LOOKED_PER_STEP: usize = 32_768;
/// How many bytes of unbelieved bodies are kept.
pub const QUARANTINE_BYTES: u64 = 64_000_000;
/// How long unbelieved records are kept: a week, in which two operators can pair.
pub const QUARANTINE_AGE: Millis = Millis(7 * DAY);

// -- Requests and answers.

/// How long a request may go without progress: a body may be waited for [`BODY_WAIT`], and the answer needs its way back.
pub const REQUEST_DEADLINE: Millis = Millis(12 * SECOND);
/// How many headers one range answer holds: at most a quarter of a megabyte.
pub const RANGE_HEADERS: usize = 256;
/// How many heads one page of a frontier holds, and how many ranges are queued for one peer: about 350 kB.
pub const FRONTIER_HEADS: usize = 4_096;
/// How many statements one answer or message holds: at [`STATEMENT_BYTES`] each they still fit into one frame.
pub const STATEMENTS_PER_ANSWER: usize = 256;
/// The longest statement in bytes, signatures included.
pub const STATEMENT_BYTES: usize = 4_096;
/// Up to so many statements that were learned at once are passed on as gossip: a node that joins has three, and one that
/// catches up with a whole mesh has nothing to tell it.
pub const STATEMENTS_RETOLD: usize = 24;
/// How long after connecting two nodes compare a second time: by then the gossip meshes have formed.
pub const SETTLING: Millis = Millis(3 * SECOND);
/// How long missing bodies are not looked for because somebody new is about to show what he has.
pub const NEWCOMERS_WAITED_FOR: Millis = Millis(4 * SETTLING.0);
/// How many authors are asked about at once.
pub const STATEMENT_KEYS: usize = 64;
/// How many topics and how many TLDs of a peer are remembered: what one screen shows. It pulls what it wants beyond them.
pub const SUBSCRIPTIONS: usize = 64;
/// How many of our body requests are in flight to one peer: under [`WAITING_BODIES_PER_PEER`], so that none is refused, and
/// with [`RANGES_PER_PEER`] no more than it is opened streams, so that each is on its way while its patience lasts.
pub const BODY_REQUESTS_PER_PEER: usize = 24;
/// How many body requests of one peer wait here for a body that is still on its way.
pub const WAITING_BODIES_PER_PEER: usize = 64;
/// How long each of them waits.
pub const BODY_WAIT: Millis = Millis(10 * SECOND);
/// How many bodies are sent to one peer at a time.
pub const UPLOADS_PER_PEER: usize = 3;

// These hold by construction of the figures above; a change that breaks one does not compile.
const _: () = assert!(BODY_REQUESTS_PER_PEER < WAITING_BODIES_PER_PEER);
const _: () = assert!(BODY_WAIT.0 < REQUEST_DEADLINE.0);
const _: () = assert!(INLINE_BODY_BYTES < BODY_BYTES && BODY_BYTES < RAW_BODY_BYTES);

// -- The engine: what it keeps in memory, for whom, and for how long.

/// How many bodies may be wanted and not here, over all authors: sixteen authors at their own bound.
pub const UNRESOLVED_BODIES: usize = 4_096;
/// How many records that name the same body are resolved with it; the others find it at a later look.
pub const RECORDS_PER_BODY: usize = 8;
/// How many peers that told of a body are remembered, and how many may have had nothing before only its author is asked.
pub const PROVIDERS_PER_BODY: usize = 8;
/// How many peers are asked for one body at the same time: one that may be stuck, its second, and one more.
pub const ASKS_PER_BODY: usize = 3;
/// How many of the bodies that wait for room are looked at in one step: whoever fills that line must not have all of it looked
/// through whenever anything happens.
pub const LINE_LOOKS: usize = 64;
/// How long a body request may go without progress before a second peer is asked, where 1.5 round trips are less.
pub const BODY_PATIENCE: Millis = Millis(300);
/// How long it may at most, however slow a peer made its small answers look.
pub const BODY_PATIENCE_MOST: Millis = Millis(2 * SECOND);
/// How long it may at most on a slow line: what 256 kbit/s need for eight groups.
pub const BODY_PATIENCE_SLOW: Millis = Millis(4 * SECOND);
/// How long after nobody had a body that was told of just now everyone is asked again, doubling each time: whoever told of
/// it will have it soon, and the next sync may be a minute away.
pub const BODY_AGAIN: Millis = Millis(500);
/// How often that is done: for half a minute, then the syncs go on with it.
pub const BODY_ROUNDS: u32 = 6;
/// How long the beginning of the publisher's own push is waited for before its mesh peer asks for the body, without the
/// time that the bytes need; from then on, the push has to go on as an answer has. Without it every body would come twice
/// to the publisher's neighbours.
pub const PUSH_WAIT: Millis = Millis(300);
/// How many bytes a push is expected to bring in a millisecond: 2 Mbit/s.
pub const PUSH_BYTES_PER_MILLI: u64 = 250;
/// How long a body that nobody had counts against its author: a flood of headers without bodies ends being forwarded,
/// and an author whose node was away for a while is itself again.
pub const MISSING_COUNTS: Millis = Millis(10 * MINUTE);
/// How many records that one peer's ranges brought are remembered until their bodies are asked for: four range answers.
/// When there were more, all that are missing are looked through.
pub const DEFERRED_BODIES: usize = 1_024;
/// How many missing bodies are asked for again at each sync, once all were looked for: 256 requests of 60 bytes.
pub const MISSING_PER_SYNC: usize = 256;
/// How many spoiled bodies are remembered besides the store, while their mark is on its way there.
pub const SPOILED: usize = 4_096;
/// How many logs one author may have: a hundred days of as many openings as a day allows.
pub const LOGS_PER_AUTHOR: usize = 1_024;
/// How many logs of authors that are not handed on are held in all: a head of each is in memory for good.
pub const UNRELAYED_LOGS: usize = 4_096;
/// How many ids behind each head stay in memory, to tell repeats from forks without the store: 3 kB a log.
pub const RECENT_PER_LOG: usize = 64;
/// How many early headers wait for their predecessors in one log: one range answer brings the rest.
pub const EARLY_PER_LOG: usize = 256;
/// How many early headers wait in all: 4 MB.
pub const EARLY: usize = 4_096;
/// How long a header that is here already is still passed on when gossip brings it: a push or a range was faster.
pub const REPEATS_PASSED_ON: Millis = Millis(2 * MINUTE);
/// How long an early header waits before its predecessors are asked for: gossip often passes itself by.
pub const EARLY_WAIT: Millis = Millis(250);
/// How often they are asked for again, each time after twice as long, while the peer that brought the header has them not
/// yet: four seconds, then the syncs go on with it.
pub const EARLY_TRIES: u32 = 4;
/// Up to so many heads that one exchange brought are passed on as gossip: two halves of a mesh that meet again have few
/// logs that went on, and a node that catches up with a whole mesh has nothing to tell it.
pub const HEADS_RETOLD: usize = 24;
/// How many logs may be waiting for that at the same time.
pub const EARLY_LOGS: usize = 256;
/// How many logs are remembered in which some peer was seen ahead of us.
pub const LAGGING: usize = 4_096;
/// How many of them are asked for at one sync with one peer.
pub const LAGGING_PER_SYNC: usize = 64;
/// How often a range that nobody gives is asked for at every sync before it is asked for more seldom.
pub const LAGGING_TRIES: u32 = 10;
/// From then on it is asked for at one sync in so many, about twice an hour, until its head is reached.
pub const LAGGING_SELDOM: u32 = 64;
/// How many authors without a certificate have headers here, and how many of them one peer may bring.
pub const STRANGERS: usize = 64;
/// See [`STRANGERS`].
pub const STRANGERS_PER_PEER: usize = 16;
/// How many headers of one such author wait for its certificate.
pub const HEADERS_PER_STRANGER: usize = 16;
/// How many invitations may be open: one for each operator who is being phoned.
pub const INVITATIONS: usize = 16;
/// How many bodies wait for the comparison of our own log after a start: one publication of the largest size.
pub const HELD_BODIES: usize = SET_PARTS as usize;
/// How many ranges are asked of one peer at a time: catching up on a thousand logs is not a thousand round trips.
pub const RANGES_PER_PEER: usize = 8;
/// How many codes one peer may try in a minute: an operator may mistype one, and 2^40 stay out of reach.
pub const CODES_PER_MINUTE: u64 = 8;
/// How many statements a peer may show about itself: a manifest, some certificates, an endpoint.
pub const HELLO_STATEMENTS: usize = 64;
/// How many requests of ours are open at one peer: its bodies, and a few about logs and statements.
pub const ASKS_PER_PEER: usize = 64;
/// How many reads of the store one peer may have open: as many requests as it may have waiting.
pub const READS_PER_PEER: usize = 64;
/// How many reads of the store are open in all, before peers are told to come again.
pub const READS: usize = 4_096;
/// With so many open, a body is asked for without looking whether the own store has it: the rest is for what peers ask.
pub const OWN_READS: usize = READS / 2;
/// How many disputed numbers are read from the store at a time.
pub const CONTRADICTIONS: usize = 64;
/// How many bytes of records and bodies may be on their way to the store before nothing more is taken in.
pub const APPENDING_BYTES: usize = 64 * 1_024 * 1_024;
/// How many of these there may be before no more bodies are asked for: what an operator decides waits behind them, for some
/// seconds at most. They are asked for again when half of it is durable.
pub const PULLING_BYTES: usize = 4 * 1_024 * 1_024;
/// How many changes may be on their way to the store before nothing more is taken in.
pub const APPENDING: usize = 16_384;
/// How many headers of one organisation may come from peers' stores in a day: a year of a busy node, for a late joiner.
pub const HISTORY_PER_DAY: u64 = 1_000_000;
/// How many statements one peer may tell in [`STATEMENT_REFILL`] without being asked.
pub const STATEMENTS_PER_PEER: u64 = 512;
/// How long that quota takes to refill, and the next one.
pub const STATEMENT_REFILL: Millis = Millis(10 * MINUTE);
/// How many urgent statements of one organisation are taken and passed on in that time when a peer has used up its own
/// quota: a ceremony after a theft makes a handful.
pub const URGENT_PER_ORGANISATION: u64 = 16;
/// How many urgent statements come first in an answer that does not hold all there are.
pub const URGENT_PER_ANSWER: usize = 64;
/// Among how many of the next ones they are looked for: a full roster behind every page would be read for each of them.
pub const URGENT_LOOKED_FOR: usize = 4_096;
/// How many answers full of statements are read from one peer in that time: all of a full roster, twice.
pub const STATEMENT_ANSWERS: u64 = 2 * (STATEMENTS / STATEMENTS_PER_ANSWER) as u64;
/// How long it takes until a peer's statements are read from the beginning again, when they still differ: some of them
/// may have come too early.
pub const STATEMENTS_REREAD: Millis = Millis(10 * MINUTE);
/// Which part of the quarantine's budget one peer may fill: an eighth, so that seven others have room.
pub const QUARANTINE_SHARE: u64 = 8;
/// How many authors may be frozen by a proof.
pub const FROZEN: usize = 65_536;
/// How many peers' cursors are remembered after they have gone, so that coming back is cheap.
pub const CURSORS: usize = 1_024;
/// How many heads of its own logs a peer is shown although they are in quarantine here.
pub const OWN_HEADS: usize = 16;
/// How many connections are wanted to organisations that are neither ours nor paired.
pub const DIALLED: usize = 12;
/// How many authors may be connected, or dialled, for their bodies alone.
pub const VISITS: usize = 4;
/// How many nodes are named for dialling at a time.
pub const DIALS: usize = 64;
/// How many peers' clocks make a median that counts.
pub const CLOCKS: usize = 3;
/// How long the time that a peer has said is a reason not to publish: it is told once, and may have been corrected since.
pub const CLOCK_FRESH: Millis = Millis(HOUR);
/// How often expired records are looked for.
pub const EXPIRE_EVERY: Millis = Millis(MINUTE);
/// How long after a start: peers have said their time by then.
pub const EXPIRE_FIRST: Millis = Millis(20 * SECOND);
/// How much later than the stored one the highest time seen must be before it is stored again.
pub const HIGHEST_WALL_STEP: Millis = Millis(10 * MINUTE);
/// How long publications wait for the comparison of our own log after a start.
pub const COMPARE_WAIT: Millis = Millis(5 * SECOND);
/// After so many provable faults a peer is disconnected: more than one broken version sends in a moment.
pub const STRIKES: u32 = 8;

// -- Statements and the roster (design, trust 6.2). The first group is the same for everyone.

/// The longest body of a statement in bytes: eight addresses of the longest kind. With all signatures it stays under
/// [`STATEMENT_BYTES`].
pub const STATEMENT_BODY_BYTES: usize = 2_544;
/// How many signatures a statement carries: seven roots and a node, and as many again for later kinds.
pub const STATEMENT_SIGNATURES: usize = 16;
/// How many root keys an organisation has: more people than that do not meet for a ceremony.
pub const ROOTS: usize = 7;
/// How many guardians an organisation may name.
pub const GUARDIANS: usize = 7;
/// The longest name of an organisation in bytes: one line of a table.
pub const ORGANISATION_NAME_BYTES: usize = 128;
/// How long a node certificate holds: a stolen node key that nobody notices ends by itself.
pub const CERTIFICATE_LIFETIME: Millis = Millis(90 * DAY);
/// How many addresses a node names: TCP and QUIC over both families, and a name.
pub const ADDRESSES: usize = 8;
/// The longest address in bytes: the longest DNS name fits.
pub const ADDRESS_BYTES: usize = 256;
/// How many certificates of one organisation count, those that end last: ten nodes for five years. Every node drops the
/// same ones.
pub const CERTIFICATES_PER_ORGANISATION: usize = 256;
/// How many statements of later versions one organisation may have here.
pub const UNKNOWN_PER_ORGANISATION: usize = 64;
/// How many of them may differ in their signatures alone: the first ones that came, of which one is likely whole.
pub const UNKNOWN_VARIANTS: usize = 4;
/// How many organisations the roster knows: founding one is free, and more than this are not CERTs and registries.
pub const ORGANISATIONS_KNOWN: usize = 4_096;
/// How many statements it holds: some nodes with some certificates each.
pub const STATEMENTS: usize = 32_768;
/// How many bytes of them: a quarter of what an idle node may use.
pub const STATEMENTS_BYTES: usize = 16 * 1_024 * 1_024;
/// Which part of both is kept for what is urgent, of those who are vouched for: a sixteenth, some thousand revocations.
pub const URGENT_SHARE: usize = 16;

/// The longest body of a proof of two manifests: both with all their signatures.
pub const MANIFEST_PROOF_BYTES: usize = 3_072;
/// How many topics a scope names: all that CERTs use today, twice.
pub const SCOPE_TOPICS: usize = 32;
/// How many suffixes a scope names: the public suffixes of one country.
pub const SCOPE_SUFFIXES: usize = 64;
/// How many last good positions a revocation names: one for each log, of which a node begins a new one after each restore.
pub const LAST_GOOD: usize = 32;
/// How long a recovery waits after a node has first seen it: a week, in which somebody who still holds a root comes back
/// from leave.
pub const RECOVERY_DELAY: Millis = Millis(7 * DAY);
/// How many manifests of one organisation are kept: a rotation a year for longer than its keys are good.
pub const MANIFESTS_PER_ORGANISATION: usize = 32;
/// How many endorsements, vetoes, links and heads of one organisation are kept that is pinned or vouched for: FIRST endorses
/// some 800 teams, in a few scopes.
pub const ENDORSEMENTS_PER_ISSUER: usize = 4_096;
/// How many of any other: a national CERT's constituents, and too few to crowd out others.
pub const ENDORSEMENTS_PER_STRANGER: usize = 256;
/// How many revocations of one organisation are kept: one for each certificate.
pub const REVOCATIONS_PER_ORGANISATION: usize = CERTIFICATES_PER_ORGANISATION;
/// How many resolutions of one organisation are kept: accidents are rare.
pub const RESOLUTIONS_PER_ORGANISATION: usize = 64;
/// How many recoveries of one organisation are kept: each needs its guardians, and only the last one matters.
pub const RECOVERIES_PER_ORGANISATION: usize = 8;
/// How many changes a roster remembers until somebody asks: many messages full; beyond that everything may have changed.
pub const CONCERNS: usize = 4_096;

const _: () = assert!(MANIFEST_PROOF_BYTES + 8 <= STATEMENT_BYTES);
// Two manifests with the longest name, all roots and guardians, and all signatures.
const _: () = assert!(
    64 + 2 * (ORGANISATION_NAME_BYTES + (ROOTS + GUARDIANS + 5) * 32 + 64 + ROOTS * 96) <= MANIFEST_PROOF_BYTES
);
const _: () = assert!(STATEMENT_BODY_BYTES + STATEMENT_SIGNATURES * 96 + 8 <= STATEMENT_BYTES);
const _: () = assert!(ADDRESSES * (ADDRESS_BYTES + 3) + 3 * 32 + 32 <= STATEMENT_BODY_BYTES);
const _: () = assert!(ROOTS < STATEMENT_SIGNATURES);
// A position is an audience, two numbers and an id.
const _: () = assert!(LAST_GOOD * 52 + 3 * 32 + 32 <= STATEMENT_BODY_BYTES);
// A proof of two histories holds its author's key and two headers with their signatures.
const _: () = assert!(32 + 2 * (HEADER_BYTES + 64 + 3) <= STATEMENT_BODY_BYTES);

// -- How much work one question of trust is worth (design, trust 4.5). Beyond it the answer is the smaller, safe one, and says so.

/// How many endorsements are looked at backwards from the organisations that a question is about: about two milliseconds.
pub const FLOW_ARCS: usize = 200_000;
/// How many arcs the search for the paths of one flow looks at: ten times through everything that was gathered.
pub const FLOW_SEARCHED: usize = 2_000_000;
/// How many organisations' claims for one observable are weighed, and as many against it, those with the best standing: four
/// times the members of FIRST in one field, and few enough to weigh in one turn.
pub const CLAIMS_WEIGHED: usize = 1_024;

// -- What the web of trust keeps, and how far it goes for one answer. Beyond it less is believed, or less is shown.

/// For how many kinds of questions a graph is kept: topics and suffixes that are told apart somewhere, those asked lately.
pub const TRUST_CLASSES: usize = 64;
/// How many changed pairs of organisations the graph of a question lags behind before it is rather built anew.
pub const TRUST_PENDING: usize = 4_096;
/// How many topics are told apart when it is found out what an organisation is believed for: so many that each has a scope of
/// its own, and all the others one.
pub const ACCEPTANCE_TOPICS: usize = ACCEPTED_SCOPES - 1;
/// How many suffixes are: two scopes full.
pub const ACCEPTANCE_SUFFIXES: usize = 2 * SCOPE_SUFFIXES;
/// How many endorsements and scopes are looked at to find it out: hundreds of questions where some hundred endorsements may
/// bring trust, a few in the densest mesh, and a tenth of a second at most.
pub const ACCEPTANCE_LOOKED: usize = 4 * STATEMENTS;
/// How many endorsements that do not count are named with their reasons: more than anybody reads.
pub const IGNORED_SHOWN: usize = 256;
/// How many moments ahead it is found out when an answer changes.
pub const MOMENTS_AHEAD: usize = 32;
/// How many endorsements are looked at to find it out: a tenth of a second, and at least now and the next moment.
pub const AHEAD_LOOKED: usize = 6 * STATEMENTS;
