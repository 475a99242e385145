//! Whom this node believes, and why.

use serde::{Deserialize, Serialize};

use crate::daemon::ceremony::documents::Said;

/// What is about something. None is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Topics.
    pub topics: Option<Vec<String>>,
    /// Domain suffixes.
    pub suffixes: Option<Vec<String>>,
}

/// An organisation and what it calls itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Party {
    /// `org:...`
    pub organisation: String,
    /// Its name, when it is known.
    pub name: Option<String>,
}

/// What a root entry gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// 1 to 120.
    pub amount: u8,
    /// 0 to 7.
    pub depth: u8,
    /// About what.
    #[serde(flatten)]
    pub about: About,
    /// Whether its vetoes count here.
    pub may_veto: bool,
    /// `clear` or `green`.
    pub receive_tlp: String,
}

/// A root entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// For whom.
    #[serde(flatten)]
    pub party: Party,
    /// `own`, `paired`, `listed` or `entered`.
    pub origin: String,
    /// What it gives.
    #[serde(flatten)]
    pub terms: Terms,
}

/// Asks for a root entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRoot {
    /// `org:...`
    pub organisation: String,
    /// What it is to give; none removes every entry.
    pub terms: Option<Terms>,
}

/// A pin, or the wish for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Of whom.
    #[serde(flatten)]
    pub party: Party,
    /// `good` or `bad`; none takes it off.
    pub pin: Option<String>,
}

/// Who is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trusted {
    /// The entries of this node's own policy.
    pub roots: Vec<Root>,
    /// The operator's pins.
    pub pins: Vec<Pin>,
    /// Everybody for whom somebody who is trusted vouches.
    pub organisations: Vec<Reached>,
}

/// What an organisation may do here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Which.
    #[serde(flatten)]
    pub party: Party,
    /// It connects by right.
    pub connect: bool,
    /// Its records are handed on.
    pub relay: bool,
    /// Some of its records are shown.
    pub accept: bool,
    /// It may be told TLP:GREEN.
    pub confide: bool,
    /// Its records about these are shown; one about anything means all of them.
    pub believed: Vec<About>,
    /// Why, in words.
    pub reason: String,
}

/// What an organisation has said, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Which.
    #[serde(flatten)]
    pub party: Party,
    /// Its manifests, certificates, endorsements and whatever else it signed.
    pub says: Vec<Said>,
    /// What others signed about it.
    pub said_of_it: Vec<Said>,
}

/// Why an organisation is judged as it is, for one question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Which.
    pub organisation: String,
    /// The names of every organisation below, as far as they are known.
    pub names: std::collections::BTreeMap<String, String>,
    /// Asked for records of these topics.
    pub topics: Vec<String>,
    /// Asked for records about this name.
    pub host: Option<String>,
    /// As whose word its own counts, when it is another one's.
    pub counts_as: Option<String>,
    /// Why nothing of it counts, if so.
    pub barred: Option<String>,
    /// Who vetoes it for this question, if so.
    pub vetoed_by: Option<String>,
    /// It connects by right.
    pub connect: bool,
    /// Its records are handed on.
    pub relay: bool,
    /// Its records about this are shown.
    pub accept: bool,
    /// It may be told TLP:GREEN.
    pub confide: bool,
    /// What it says about this may be acted on.
    pub act: bool,
    /// `B`, 0 to 120.
    pub best: u8,
    /// `F`, 0 to 120.
    pub full: u32,
    /// How many introductions are left to it.
    pub max_remaining_depth: Option<u8>,
    /// The path that carries `B`.
    pub witness: Vec<String>,
    /// The ways by which `F` comes.
    pub paths: Vec<Way>,
    /// What limits `F`.
    pub limits: Vec<Limit>,
    /// True when the work did not suffice and `F` may be too small.
    pub truncated: bool,
    /// All through whom every chain passes; the last is the single point of trust.
    pub dominators: Vec<String>,
    /// Whether it stays believed whichever one other organisation is gone.
    pub independent: bool,
    /// One without which it would not be believed.
    pub keystone: Option<String>,
    /// Endorsements and root entries that do not count.
    pub ignored: Vec<Ignored>,
    /// How many more there are.
    pub more_ignored: usize,
    /// Vetoes against it.
    pub vetoes: Vec<Objection>,
    /// How many more there are.
    pub more_vetoes: usize,
    /// When time alone will next change this.
    pub changes_at: Option<String>,
}

/// One way by which trust comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// From a root on.
    pub organisations: Vec<String>,
    /// How much.
    pub amount: u32,
}

/// What limits a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Who vouches; none is this node's own root entry, or no endorsement is meant.
    pub from: Option<String>,
    /// For whom; or what passes through whom.
    pub to: String,
    /// How much.
    pub amount: u32,
    /// `endorsement`, `root`, `organisation`, `supply` or `origin`.
    pub kind: String,
}

/// An endorsement that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// Who vouches; none is this node's own root entry.
    pub from: Option<String>,
    /// For whom.
    pub to: String,
    /// How much.
    pub amount: u8,
    /// How many further introductions.
    pub depth: u8,
    /// About what.
    #[serde(flatten)]
    pub about: About,
    /// Why, in words.
    pub why: String,
}

/// A veto.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// Who vetoes.
    pub from: String,
    /// Whom.
    pub to: String,
    /// About what.
    #[serde(flatten)]
    pub about: About,
    /// Why it does not count, in words; none when it does.
    pub why: Option<String>,
}

/// The neighbourhood of this node in the web of trust.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// This node's organisation first.
    pub organisations: Vec<Vertex>,
    /// Endorsements among them, and root entries, which begin at this node's organisation.
    pub endorsements: Vec<Edge>,
    /// How many organisations were left out.
    pub left_out: usize,
}

/// An organisation in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vertex {
    /// Which.
    #[serde(flatten)]
    pub party: Party,
    /// Some of its records are shown.
    pub accept: bool,
    /// It connects by right.
    pub connect: bool,
}

/// An arrow in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Who vouches.
    pub from: String,
    /// For whom.
    pub to: String,
    /// How much.
    pub amount: u8,
    /// How many further introductions.
    pub depth: u8,
    /// About what.
    #[serde(flatten)]
    pub about: About,
    /// Whether it is a root entry.
    pub root: bool,
    /// Whether time has it count now.
    pub counts: bool,
}

/// How sure this node is of a value under one topic, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sure {
    /// The observable.
    pub value: String,
    /// The topic of the claims.
    pub topic: String,
    /// Everything that is said of it.
    pub claims: Vec<Word>,
    /// What arrives of the claims for it, in whole sources of 120.
    pub support: u32,
    /// What arrives of the claims against it, before it counts twice.
    pub dispute: u32,
    /// Per mille.
    pub belief: u32,
    /// Per mille.
    pub disbelief: u32,
    /// Per mille.
    pub uncertainty: u32,
    /// Per mille: belief alone.
    pub score: u32,
    /// Whether reporters remain whichever one organisation is gone.
    pub two_source: bool,
    /// The same of those who dispute it.
    pub two_source_dispute: bool,
    /// After so many ms nothing is left of a claim.
    pub fades_after_ms: u64,
    /// When age will next change a claim.
    pub changes_at: Option<String>,
    /// What it is enough for.
    pub policies: Vec<Lacking>,
    /// True when some of the claims or of the work was left out.
    pub truncated: bool,
}

/// One claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Its record.
    pub record: String,
    /// The record that an opinion is on.
    pub target: Option<String>,
    /// Whose word.
    pub organisation: Option<String>,
    /// What that calls itself.
    pub name: Option<String>,
    /// `report`, `sighting` or `false-positive`.
    pub claim: String,
    /// How sure its author is, 0 to 100.
    pub confidence: u8,
    /// How often it was seen.
    pub count: u32,
    /// When it was last seen, by its author's clock.
    pub seen: String,
    /// When it came.
    pub received_at: String,
    /// When it ends.
    pub expires_at: String,
    /// Whether its record is believed here.
    pub believed: bool,
    /// Whether its author took it back.
    pub withdrawn: bool,
    /// Whether it is the one claim of its organisation that counts.
    pub counts: bool,
    /// Why it does not, if so.
    pub reason: Option<String>,
    /// `F` of its organisation, 0 to 120.
    pub trust: u32,
    /// What its age has left of it, in parts per million.
    pub fresh_ppm: u32,
    /// What its kind weighs, per mille.
    pub weight: u32,
    /// All of these multiplied.
    pub supply: u32,
    /// The source that it repeats, as a digest.
    pub derived_from: Option<String>,
    /// Whether another claim of the same side names the same origin.
    pub shared_origin: bool,
}

/// What a policy still wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacking {
    /// Which policy.
    pub policy: String,
    /// Whether nothing is missing.
    pub listed: bool,
    /// What is.
    pub missing: Vec<String>,
}
