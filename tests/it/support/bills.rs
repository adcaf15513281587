//! What operations cost, compared with the tables of `docs/PERFORMANCE.md`.

use std::fmt;

use scim_local::meter::Bill;

use super::{Answer, World, documents};

/// Writes the measured tables into the document, in place of a comparison.
const WRITE: &str = "SCIM_WRITE_LEDGER";
const DOCUMENT: &str = "docs/PERFORMANCE.md";

/// One cell of a table: calls, round trips, read units, write units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    Exactly(u32, u32, f64, f64),
    AtMost(u32, u32, f64, f64),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(calls, rounds, read, write) => {
                write!(f, "{calls} / {rounds} / {read} / {write}")
            }
            Self::AtMost(calls, rounds, read, write) => {
                write!(f, "≤ {calls} / {rounds} / {read} / {write}")
            }
        }
    }
}

/// One column of a table: the operations in a world of one size.
pub struct Column<'w> {
    world: &'w World,
    name: String,
    cells: Vec<(String, Cell)>,
    /// What the engine counts otherwise.
    pub differences: Vec<String>,
}

impl<'w> Column<'w> {
    pub fn new(world: &'w World, name: impl Into<String>) -> Self {
        Self { world, name: name.into(), cells: Vec::new(), differences: Vec::new() }
    }

    /// Notes what was counted since the last note, and returns the answer.
    #[track_caller]
    pub fn note(&mut self, operation: &str, status: u16, answer: Answer) -> Answer {
        let Bill { calls, round_trips, read, write, .. } = self.bill(operation, status, &[&answer]);
        self.cells.push((operation.to_owned(), Cell::Exactly(calls, round_trips, read, write)));
        answer
    }

    /// Like [`Column::note`], for an operation whose cost depends on where its rows happen to be.
    #[track_caller]
    pub fn bound(&mut self, operation: &str, status: u16, answer: Answer, bound: Cell) -> Answer {
        self.bound_all(operation, status, &[&answer], bound);
        answer
    }

    /// Like [`Column::bound`], for an operation that takes several requests; the last one has this
    /// status.
    #[track_caller]
    pub fn bound_all(&mut self, operation: &str, status: u16, answers: &[&Answer], bound: Cell) {
        let bill = self.bill(operation, status, answers);
        let Cell::AtMost(calls, rounds, read, write) = bound else {
            panic!("{bound} is not a bound")
        };
        let fits = bill.calls <= calls
            && bill.round_trips <= rounds
            && bill.read <= read
            && bill.write <= write;
        assert!(fits, "{operation}, {}: {bill:?} is more than {bound}", self.name);
        if !self.cells.iter().any(|(known, _)| known == operation) {
            self.cells.push((operation.to_owned(), bound));
        }
    }

    #[track_caller]
    fn bill(&mut self, operation: &str, status: u16, answers: &[&Answer]) -> Bill {
        let last = answers.last().expect("a request was sent");
        assert_eq!(last.status, status, "{operation}, {}: {}", self.name, last.body);
        let bill = self.world.meter.take();
        assert_eq!(
            bill.calls,
            answers.iter().map(|answer| answer.tally.calls).sum::<u32>(),
            "{operation}: the service counts its calls itself"
        );
        if (bill.read, bill.write) != (bill.engine_read, bill.engine_write) {
            self.differences.push(operation.to_owned());
        }
        bill
    }
}

/// Compares columns with those of the table named `table` in the document, or writes the table.
pub fn compare(table: &str, columns: &[Column<'_>]) {
    let rows = columns[0].cells.iter().enumerate().map(|(index, (operation, _))| {
        let cells = columns.iter().map(|column| {
            assert_eq!(column.cells[index].0, *operation);
            column.cells[index].1.to_string()
        });
        std::iter::once(operation.clone()).chain(cells).collect()
    });
    let names = columns.iter().map(|column| column.name.as_str());
    let measured =
        documents::markdown(&std::iter::once("operation").chain(names).collect::<Vec<_>>(), rows);
    if std::env::var_os(WRITE).is_some() {
        return documents::write_table(DOCUMENT, table, &measured);
    }
    let written = documents::table(DOCUMENT, table);
    // A run of one size is compared with its column.
    let header: Vec<&str> =
        written.lines().next().unwrap_or_default().split('|').map(str::trim).collect();
    for (index, column) in columns.iter().enumerate() {
        let place =
            header.iter().position(|name| *name == column.name).expect("the table has the column");
        let wanted: Vec<(&str, &str)> = written
            .lines()
            .skip(2)
            .map(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                (cells[1], cells[place])
            })
            .collect();
        let got: Vec<(String, String)> = columns[index]
            .cells
            .iter()
            .map(|(operation, cell)| (operation.clone(), cell.to_string()))
            .collect();
        let got: Vec<(&str, &str)> = got.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            got, wanted,
            "{}: {WRITE}=1 and the ignored test write the table again",
            column.name
        );
    }
}
