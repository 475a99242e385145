//! What a ceremony says it did, as JSON and for people.

use serde::{Deserialize, Serialize};

use crate::daemon::report::{GOOD, HEAD, Plain, WARN, clean, styled, table::pairs};

/// New root keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// Where the private keys are.
    pub folder: String,
    /// The public keys, `key:...`, in the order of their files `root-1.key` and so on.
    pub keys: Vec<String>,
    /// How many of them must sign.
    pub threshold: u8,
    /// What a manifest says of them beforehand.
    pub commitment: String,
}

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Where it is.
    pub file: String,
    /// The revocation for an emergency, in a file of its own: it needs the same signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<String>,
    /// How many statements the file holds.
    pub statements: usize,
    /// How many keys have signed.
    pub signatures: usize,
    /// How many are still missing, where that can be told.
    pub missing: usize,
}

/// What statements say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statements {
    /// In the order of their files.
    pub statements: Vec<Said>,
}

/// What one statement says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `manifest`, `certificate`, `revocation`, `recovery`, `resolution`, `endorsement`, `veto`, `subsidiary`,
    /// `chain head` or `other`.
    pub kind: String,
    /// Its digest.
    pub id: String,
    /// Whose it is.
    pub organisation: Option<String>,
    /// In words.
    pub says: String,
    /// Whose signatures it carries; whether they hold is checked when it is accepted.
    pub signed_by: Vec<String>,
    /// Of what is said of others, where a node was asked: whether its issuer still stands by it. It does not when it has said
    /// something else since, or when a manifest has voided the keys that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands: Option<bool>,
}

/// What was said of other organisations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// The new statements; the last one confirms the others.
    pub says: Vec<Said>,
    /// The file that they are in; none when the running node took them.
    pub file: Option<String>,
    /// Whether the mesh was told.
    pub told: bool,
    /// How many more roots must sign.
    pub missing: usize,
}

/// What was taken from offline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// How many statements are new in the data directory.
    pub kept: usize,
    /// How many the mesh was told.
    pub told: usize,
    /// How many the node knew already.
    pub known: usize,
}

impl Plain for Drawn {
    fn plain(&self) -> Vec<String> {
        let mut lines = pairs(&[
            ("folder", self.folder.clone()),
            ("threshold", format!("{} of {}", self.threshold, self.keys.len())),
            ("commitment", self.commitment.clone()),
        ]);
        let key = |(key, number): (&String, usize)| format!("root-{number}.key  {key}");
        lines.extend(self.keys.iter().zip(1..).map(key));
        lines
    }
}

impl Plain for Signed {
    fn plain(&self) -> Vec<String> {
        let mut lines = pairs(&[
            ("file", self.file.clone()),
            ("statements", self.statements.to_string()),
            ("signatures", self.signatures.to_string()),
        ]);
        if let Some(revocation) = &self.revocation {
            lines.extend(pairs(&[("revocation", revocation.clone())]));
        }
        if self.missing > 0 {
            let files = std::iter::once(&self.file).chain(&self.revocation);
            let must = |file: &String| {
                let text = format!(
                    "{} more must sign it: starfish org sign {file} --key ... --out ...",
                    self.missing
                );
                styled(WARN, &text)
            };
            lines.extend(files.map(must));
        }
        lines
    }
}

impl Plain for Statements {
    fn plain(&self) -> Vec<String> {
        self.statements.iter().map(line).collect()
    }
}

fn line(said: &Said) -> String {
    let signers = match said.signed_by.len() {
        0 => "not signed".to_owned(),
        _ => format!("signed by {}", said.signed_by.join(", ")),
    };
    format!("{}: {} ({signers})", styled(HEAD, &said.kind), clean(&said.says))
}

impl Plain for Spoken {
    fn plain(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.says.iter().map(line).collect();
        match &self.file {
            None => lines.push(styled(GOOD, "told to the mesh")),
            Some(file) if self.missing == 0 => lines.push(styled(
                GOOD,
                &format!("written to {file}; let a node of yours take it: starfish org accept {file}"),
            )),
            Some(file) => lines.push(styled(
                WARN,
                &format!(
                    "written to {file}; {} more must sign it: starfish org sign {file}",
                    self.missing
                ),
            )),
        }
        lines
    }
}

impl Plain for Accepted {
    fn plain(&self) -> Vec<String> {
        pairs(&[
            ("kept here", self.kept.to_string()),
            ("told to the mesh", self.told.to_string()),
            ("known already", self.known.to_string()),
        ])
    }
}
