//! One row of a table, and how a value is got out of it: what stands there is believed only if it parses.

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use crate::StoreError;

/// A row, and the table it is from.
pub(crate) struct Record<'r> {
    table: &'static str,
    row: &'r Row<'r>,
}

impl<'r> Record<'r> {
    pub(crate) fn new(table: &'static str, row: &'r Row<'r>) -> Self {
        Self { table, row }
    }

    /// A value of one of SQLite's types, in the range of ours; with `Option`, or nothing.
    pub(crate) fn plain<T: FromSql>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row.get(column).map_err(|_| self.corrupt(column))
    }

    /// A text that reads as a value of the model's.
    pub(crate) fn text<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.plain::<String>(column)?.parse().map_err(|_| self.corrupt(column))
    }

    /// The same, or nothing.
    pub(crate) fn optional<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.plain(column)?;
        text.map(|text| text.parse().map_err(|_| self.corrupt(column))).transpose()
    }

    /// What one of our own words stands for.
    pub(crate) fn word<T: Copy>(&self, column: &'static str, words: &[(&str, T)]) -> Result<T, StoreError> {
        let text: String = self.plain(column)?;
        let known = words.iter().find(|(word, _)| *word == text);
        known.map(|(_, meaning)| *meaning).ok_or_else(|| self.corrupt(column))
    }

    /// The error that names a column and shows what stands there.
    pub(crate) fn corrupt(&self, column: &'static str) -> StoreError {
        let value = match self.row.get_ref(column) {
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).chars().take(80).collect(),
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Null) => "NULL".to_owned(),
            Ok(other) => other.data_type().to_string(),
            Err(error) => error.to_string(),
        };
        StoreError::Corrupt { table: self.table, column, value }
    }
}
