//! The users of a table, and what the directory has in their place.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;

use super::columns::{Columns, flag};
use super::found::Found;
use super::report::{Difference, DriftReport, What};
use super::table::DriftRow;
use crate::directory::states::State;
use crate::operator::error::OperatorError;

/// The states that a table can name.
const STATES: [State; 6] = [
    State::Provisioned,
    State::Suspended,
    State::SuspendedWithExpiry,
    State::SoftDeleted,
    State::Unmanaged,
    State::Absent,
];

/// A user of the table.
pub(super) struct Expected {
    row: DriftRow,
    state: Option<State>,
    active: Option<bool>,
    /// The values of the columns of attributes, in their order.
    values: Vec<Option<Value>>,
    /// The user of the directory.
    found: Option<Found>,
}

/// Reads the rows of a table, by their keys.
pub(super) fn read(
    columns: &Columns<'_>,
    rows: Vec<DriftRow>,
) -> Result<HashMap<String, Expected>, OperatorError> {
    let mut expected: HashMap<String, Expected> = HashMap::with_capacity(rows.len());
    for row in rows {
        let line = row.line;
        let bad = |why: String| OperatorError::BadTable(format!("line {line} {why}"));
        let read = Expected::read(columns, row).map_err(bad)?;
        let key = columns.folded(read.cell(columns.key));
        let name = columns.key_name();
        let key = key.ok_or_else(|| bad(format!("has no {name}; give one or remove the line")))?;
        match expected.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(read);
            }
            Entry::Occupied(other) => {
                let first = other.get().row.line;
                return Err(bad(format!("has the same {name} as line {first}; remove one")));
            }
        }
    }
    Ok(expected)
}

impl Expected {
    fn read(columns: &Columns<'_>, row: DriftRow) -> Result<Self, String> {
        let (has, named) = (row.cells.len(), columns.number);
        if has != named {
            return Err(format!("has {has} columns, but line 1 names {named}"));
        }
        let cell = |column: usize| row.cells.get(column).map(String::as_str).unwrap_or_default();
        let filled = |column: Option<usize>| column.map(cell).filter(|cell| !cell.is_empty());
        let state = filled(columns.state).map(read_state).transpose()?;
        let active = filled(columns.active).map(|text| {
            flag(text).ok_or_else(|| format!("has {text:?} as active; write true or false"))
        });
        let active = active.transpose()?;
        let values = columns.attributes.iter().map(|(index, column)| {
            let wrong = |forms| format!("has {:?} as {}; write {forms}", cell(*index), column.name);
            column.value_in(cell(*index)).map_err(wrong)
        });
        let values = values.collect::<Result<_, _>>()?;
        Ok(Self { row, state, active, values, found: None })
    }

    fn cell(&self, column: usize) -> &str {
        self.row.cells.get(column).map(String::as_str).unwrap_or_default()
    }

    /// Takes in a user of the directory with this key. Returns the one that has no row: several
    /// users can have one externalId or userName, and the visible one is meant.
    pub(super) fn meet(&mut self, found: Found) -> Option<Found> {
        match &self.found {
            Some(met) if rank(met.state) >= rank(found.state) => Some(found),
            _ => self.found.replace(found),
        }
    }

    /// Adds the differences to the report.
    pub(super) fn settle(self, columns: &Columns<'_>, report: &mut DriftReport) {
        let Some(found) = &self.found else {
            // The retention of a user whom the product has as deleted may have ended.
            if !matches!(self.state, Some(State::SoftDeleted | State::Absent)) {
                report.differences.push(self.surplus(columns));
            }
            return;
        };
        let mut differ = |what| {
            let line = Some(self.row.line);
            let difference = Difference { line, ..found.difference(columns, what) };
            report.differences.push(difference);
        };
        if let Some(what) = self.state_differs(found, columns) {
            differ(what);
        }
        if found.state == State::SoftDeleted {
            return;
        }
        for ((_, column), value) in columns.attributes.iter().zip(&self.values) {
            let has = column.value_of(&found.user);
            if !column.is_same(value.as_ref(), has) {
                let (path, file) = (column.name.clone(), value.clone());
                differ(What::Attribute { path, file, directory: has.cloned() });
            }
        }
    }

    fn surplus(&self, columns: &Columns<'_>) -> Difference {
        let key = self.cell(columns.key);
        Difference {
            key: columns.folded(key).unwrap_or_default(),
            id: columns.id(key),
            name: String::new(),
            line: Some(self.row.line),
            what: What::Surplus,
        }
    }

    /// How the state of a user differs from what the row says.
    fn state_differs(&self, found: &Found, columns: &Columns<'_>) -> Option<What> {
        let has_states = columns.state.is_some() || columns.active.is_some();
        let file = match (self.state, self.active) {
            (Some(state), _) if state.word() != found.state.word() => state.word(),
            (_, Some(active)) if active != found.is_active() => {
                if active {
                    "active"
                } else {
                    "inactive"
                }
            }
            // A table without states lists the users who are there.
            (None, None) if !has_states && found.state == State::SoftDeleted => "present",
            _ => return None,
        };
        Some(What::State { file, directory: found.state.word() })
    }
}

fn read_state(text: &str) -> Result<State, String> {
    let state = STATES.into_iter().find(|state| state.word().eq_ignore_ascii_case(text));
    state.ok_or_else(|| {
        format!("has {text:?} as state; write {}", STATES.map(State::word).join(", "))
    })
}

/// The order in which users of one key are meant.
fn rank(state: State) -> u8 {
    match state {
        State::Provisioned | State::Suspended | State::SuspendedWithExpiry => 2,
        State::Unmanaged => 1,
        State::Absent | State::SoftDeleted | State::Expired => 0,
    }
}
