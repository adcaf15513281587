//! The rows of the table as the invariants read them.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::support::World;

#[derive(Debug)]
pub struct Row(pub HashMap<String, AttributeValue>);

impl Row {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_s().ok().map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_n().ok()?.parse().ok()
    }

    pub fn texts(&self, name: &str) -> BTreeSet<String> {
        let list = self.0.get(name).and_then(|value| value.as_l().ok());
        list.into_iter().flatten().map(|value| value.as_s().unwrap().clone()).collect()
    }

    pub fn p(&self) -> &str {
        self.text("p").unwrap()
    }

    pub fn s(&self) -> &str {
        self.text("s").unwrap()
    }

    /// Everything that looks like an id.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let texts = self.0.values().filter_map(|value| value.as_s().ok());
        let words = texts.flat_map(|text| text.split(|c: char| c != '-' && !c.is_ascii_hexdigit()));
        words.filter(|word| word.len() == 36)
    }
}

/// All rows of the table.
pub async fn scan(world: &World) -> Vec<Row> {
    world.rows().await.into_iter().map(Row).collect()
}
