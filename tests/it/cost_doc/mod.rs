//! `docs/COST.md` and the ceilings of `docs/PERFORMANCE.md`: what a deployment costs a month, and
//! how much one tenant can do in a second. Both are computed, and `SCIM_WRITE_DOCS=1` writes them.

mod bill;
mod ceilings;
mod customer;
mod inputs;
mod measured;

use crate::support::documents::{hold_table, markdown, read};
use bill::{Bill, SECRETS, Secrets};
use inputs::{COST, Inputs};

/// The sizes of a deployment, in tenants.
const SIZES: [u32; 4] = [10, 100, 1_000, 10_000];

/// A table of bills with these lines, the totals and the costs of one tenant.
fn table(inputs: &Inputs, secrets: Secrets, service: &str) -> String {
    let bills = SIZES.map(|tenants| Bill::of(inputs, tenants, secrets));
    let row = |name: &str, amount: &dyn Fn(&Bill) -> f64, digits: usize| {
        let amounts = bills.iter().map(|bill| dollars(amount(bill), digits));
        std::iter::once(name.to_owned()).chain(amounts).collect()
    };
    let names = bills[0].lines.iter().map(|(name, _)| *name).enumerate();
    let mut rows: Vec<Vec<String>> = names
        .filter(|(_, name)| name.starts_with(service))
        .map(|(index, name)| row(name, &|bill| bill.lines[index].1, 2))
        .collect();
    rows.push(row("**total**", &Bill::total, 2));
    rows.push(row("for each tenant", &Bill::each, 3));
    let header = ["a month", "10 tenants", "100 tenants", "1,000 tenants", "10,000 tenants"];
    markdown(&header, rows)
}

/// An amount below a million dollars.
fn dollars(amount: f64, digits: usize) -> String {
    let text = format!("{amount:.digits$}");
    match text.find('.') {
        Some(point) if point > 3 => format!("${},{}", &text[..point - 3], &text[point - 3..]),
        _ => format!("${text}"),
    }
}

#[test]
fn the_documented_bills_follow_from_the_prices_and_the_ledger() {
    let inputs = Inputs::read();
    hold_table(COST, "bills", &table(&inputs, Secrets::Shared, ""));
    let apart = table(&inputs, Secrets::OneEach, SECRETS);
    hold_table(COST, "bills with a secret for each tenant", &apart);
}

#[test]
fn a_thousand_tenants_cost_at_most_20_dollars_of_which_8_are_for_secrets() {
    let bill = Bill::of(&Inputs::read(), 1_000, Secrets::Shared);
    assert!(bill.secrets() <= 8.0, "{bill:?}");
    assert!(bill.total() <= 20.0, "{bill:?}");
}

#[test]
fn the_comparison_has_the_totals_of_the_bill() {
    let total = |tenants| Bill::of(&Inputs::read(), tenants, Secrets::Shared).total().round();
    let said = format!("about ${} / ${}, AWS only", total(10), total(1_000));
    for document in ["README.md", "docs/COMPARISON.md"] {
        assert!(read(document).contains(&said), "{document}: {said}");
    }
}

#[test]
fn the_first_synchronization_of_a_tenant_costs_less_than_2_cents() {
    let cost = bill::first_synchronization(&Inputs::read());
    assert!(cost < 0.02, "{cost}");
}
