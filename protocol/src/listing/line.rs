//! One line of a list: what kind of line it is, and the values in it.

use super::{Reader, Reason, filter, reserved::is_sink, table, wanted};
use crate::observable::Observable;

impl Reader {
    /// Reads a line of text.
    pub(super) fn line(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() || is_comment(text) {
            return;
        }
        let first = !std::mem::replace(&mut self.begun, true);
        if first && self.column_names(text) {
            return;
        }
        if let Some(table) = self.table.take() {
            table.row(text, self);
            self.table = Some(table);
            return;
        }
        match filter::read(text) {
            Some(Ok(value)) => self.value(value),
            Some(Err(why)) => self.refuse(text, Reason::Filter(why)),
            None => self.plain(without_comment(text)),
        }
    }

    fn column_names(&mut self, text: &str) -> bool {
        let Some(table) = table::Table::of(text) else {
            return false;
        };
        for name in table.unread() {
            self.refuse(name, Reason::Column);
        }
        // A single column needs no splitting, and its URLs may hold commas.
        self.table = Some(table).filter(|table| table.columns() > 1);
        true
    }

    fn plain(&mut self, text: &str) {
        if text.contains(',') && self.row(text) {
            return;
        }
        if let Some((first, rest)) = text.split_once(char::is_whitespace) {
            let rest = rest.trim();
            if is_sink(first) && !is_count(rest) {
                rest.split_whitespace().for_each(|name| self.value(name));
                return;
            }
            if is_count(rest) {
                return self.value(first);
            }
        }
        match Observable::parse(wanted(text)) {
            Ok(observable) => self.take(observable, text),
            Err(error) => {
                if !self.words(text) {
                    self.refuse(text, error.into());
                }
            }
        }
    }

    /// Several values with blanks between them. True when that is what the line is.
    fn words(&mut self, text: &str) -> bool {
        let words = text
            .split_whitespace()
            .map(|word| (word, Observable::parse(wanted(word)).ok()));
        let Some(values) = words
            .map(|(word, value)| Some((word, value?)))
            .collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        let several = values.len() > 1;
        for (word, value) in values.into_iter().filter(|_| several) {
            self.take(value, word);
        }
        several
    }

    /// Several values with commas between them. True when the line is a row, whether it could be read or not.
    fn row(&mut self, text: &str) -> bool {
        let fields: Vec<String> = table::fields(text)
            .into_iter()
            .filter(|field| !field.is_empty())
            .collect();
        let values: Vec<Option<Observable>> = fields
            .iter()
            .map(|field| Observable::parse(wanted(field)).ok())
            .collect();
        let quoted = text.contains("\",");
        // Without quotes, `http://a.example/x,y.z` is one URL: only further schemes make it several.
        let first_is_open = matches!(values.first(), Some(Some(Observable::Url(_))));
        let schemes = fields.iter().all(|field| field.contains("://"));
        if fields.len() < 2 || (first_is_open && !schemes && !quoted) {
            return false;
        }
        if values.iter().any(Option::is_none) {
            // A value with a comma in it may still be one; only quotes say that it is a row.
            if quoted {
                self.refuse(text, Reason::Row);
            }
            return quoted;
        }
        for (field, value) in fields.iter().zip(values.into_iter().flatten()) {
            self.take(value, field);
        }
        true
    }
}

fn is_comment(text: &str) -> bool {
    ["#", ";", "!", "//", "[Adblock"]
        .iter()
        .any(|sign| text.starts_with(sign))
}

/// Cuts a comment off that begins with a blank and a `#`; a `#` inside a URL has no blank before it.
fn without_comment(text: &str) -> &str {
    let mut from = 0;
    while let Some(at) = text[from..].find('#').map(|at| at + from) {
        if text[..at].ends_with(char::is_whitespace) {
            return text[..at].trim_end();
        }
        from = at + 1;
    }
    text
}

fn is_count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
