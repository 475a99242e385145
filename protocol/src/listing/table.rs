//! Tables with a first line of column names and commas between the fields, as spreadsheets write them (RFC 4180).
//!
//! Only columns whose names promise observables are read: a table of indicators also names reports, and whoever wrote
//! about malware must not end on a blocklist.

use super::{Reader, Reason};
use crate::observable::Observable;

/// Words of column names that promise observables.
const VALUES: [&str; 24] = [
    "address",
    "addresses",
    "asn",
    "cidr",
    "domain",
    "domains",
    "email",
    "fqdn",
    "hash",
    "host",
    "hostname",
    "indicator",
    "indicators",
    "ioc",
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "md5",
    "observable",
    "sha1",
    "sha256",
    "sha512",
    "url",
];
/// Words that take the promise back.
const REPORTS: [&str; 6] = ["link", "ref", "reference", "references", "report", "type"];

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    read: bool,
}

impl Table {
    /// Reads a line of column names; none if it is not one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let columns: Vec<Column> = fields(text).into_iter().map(Column::new).collect();
        let names = columns.iter().all(|column| is_name(&column.name));
        (names && columns.iter().any(|column| column.read)).then_some(Self { columns })
    }

    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The names of the columns that are not read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.columns
            .iter()
            .filter(|column| !column.read)
            .map(|column| column.name.as_str())
    }

    /// Reads a row into the reader.
    pub(super) fn row(&self, text: &str, reader: &mut Reader) {
        let fields = fields(text);
        if fields.len() > self.columns.len() {
            return reader.refuse(text, Reason::LongRow);
        }
        for (column, field) in self.columns.iter().zip(&fields) {
            if column.read && !field.is_empty() {
                reader.value(field);
            }
        }
    }
}

impl Column {
    fn new(name: String) -> Self {
        let lower = name.to_ascii_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
        Self {
            read: any(&VALUES) && !any(&REPORTS),
            name,
        }
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    !text.is_empty() && text.chars().all(allowed) && Observable::parse(text).is_err()
}

/// The fields of a row, without their quotes and the blanks around them.
pub(super) fn fields(text: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            sign => field.push(sign),
        }
    }
    fields.push(field);
    fields.iter().map(|field| field.trim().to_owned()).collect()
}
