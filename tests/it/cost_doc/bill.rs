//! What a deployment costs in a month, by AWS's service.

use super::inputs::{Inputs, Work, units};

const MINUTES: f64 = 60.0 * 730.0;
/// A GB as AWS counts it is a little more, so that a bill is not below what AWS charges.
const GB: f64 = 1e9;

/// The beginning of the lines for secrets.
pub const SECRETS: &str = "Secrets Manager";

/// How tenants keep their tokens.
#[derive(Debug, Clone, Copy)]
pub enum Secrets {
    Shared,
    OneEach,
}

/// The lines of a bill in dollars, each rounded up to cents.
#[derive(Debug)]
pub struct Bill {
    tenants: f64,
    pub lines: Vec<(&'static str, f64)>,
}

impl Bill {
    pub fn of(inputs: &Inputs, tenants: u32, secrets: Secrets) -> Self {
        let usage = Usage { inputs, tenants: tenants.into(), secrets };
        let line = |(name, dollars): (_, f64)| (name, (dollars * 100.0 - 1e-6).ceil() / 100.0);
        let lines = usage.lines().into_iter().map(line).collect();
        Self { tenants: usage.tenants, lines }
    }

    pub fn total(&self) -> f64 {
        self.lines.iter().map(|(_, dollars)| dollars).sum()
    }

    /// The cost of one tenant.
    pub fn each(&self) -> f64 {
        self.total() / self.tenants
    }

    pub fn secrets(&self) -> f64 {
        let lines = self.lines.iter().filter(|(name, _)| name.starts_with(SECRETS));
        lines.map(|(_, dollars)| dollars).sum()
    }
}

/// What a deployment uses in a month.
struct Usage<'i> {
    inputs: &'i Inputs,
    tenants: f64,
    secrets: Secrets,
}

impl Usage<'_> {
    fn lines(&self) -> [(&'static str, f64); 13] {
        let inputs = self.inputs;
        let price = |name, amount: f64| inputs.price(name) * amount;
        let (requests, records) = (self.requests(), self.records());
        let invocations = requests + records + inputs.assumed("watches a month");
        let logs = invocations * inputs.assumed("bytes of logs for each request") / GB;
        let months = inputs.assumed("days for which CloudWatch keeps logs") * 12.0 / 365.0;
        [
            ("DynamoDB: writes", price("DynamoDB, on-demand writes", self.write_units())),
            ("DynamoDB: reads", price("DynamoDB, on-demand reads", self.read_units())),
            ("DynamoDB: storage", price("DynamoDB, storage", self.stored())),
            ("DynamoDB: recovery", price("DynamoDB, point-in-time recovery", self.stored())),
            ("Lambda: requests", price("Lambda, requests", invocations)),
            ("Lambda: time", price("Lambda, time on arm64", self.gb_seconds())),
            ("API Gateway", price("API Gateway, HTTP API", requests)),
            (
                "EventBridge",
                price("EventBridge, Pipe", records) + price("EventBridge, bus", records),
            ),
            ("Secrets Manager: secrets", price("Secrets Manager, secrets", self.secrets())),
            ("Secrets Manager: calls", price("Secrets Manager, calls", self.secret_calls())),
            (
                "CloudWatch: logs",
                price("CloudWatch, logs taken in", logs)
                    + price("CloudWatch, logs kept", logs * months),
            ),
            (
                "CloudWatch: alarms and metrics",
                price("CloudWatch, alarms", inputs.assumed("alarms"))
                    + price("CloudWatch, custom metrics", inputs.assumed("custom metrics")),
            ),
            ("Data transfer", price("Data transfer to the internet", self.answers() / GB)),
        ]
    }

    /// A sum over all requests of all tenants.
    fn sum(&self, of: impl Fn(&Work) -> f64) -> f64 {
        self.tenants * self.inputs.work.iter().map(|work| work.requests * of(work)).sum::<f64>()
    }

    fn requests(&self) -> f64 {
        self.sum(|_| 1.0)
    }

    fn write_units(&self) -> f64 {
        self.sum(|work| work.write_units) * self.larger()
    }

    fn read_units(&self) -> f64 {
        let own = self.inputs.assumed("read units of a request for the tenant's own row");
        let watched = self.looks() * self.inputs.assumed("read units of a watch for each tenant");
        self.sum(|work| work.read_units) * self.larger() + self.requests() * own + watched
    }

    /// How often a watch looks at a tenant.
    fn looks(&self) -> f64 {
        let most = self.inputs.assumed("tenants that a watch sees at most");
        self.inputs.assumed("watches a month") * self.tenants.min(most)
    }

    fn larger(&self) -> f64 {
        self.inputs.assumed("units of this customer for each unit of the ledger")
    }

    fn answers(&self) -> f64 {
        self.sum(|work| work.answer)
    }

    fn gb_seconds(&self) -> f64 {
        let gb = self.inputs.assumed("memory of the function, in MB") / 1_024.0;
        let seconds = |name| self.inputs.assumed(name) / 1_000.0;
        let request = seconds("milliseconds of function time for each request");
        let record = seconds("milliseconds of function time for each record");
        let look = seconds("milliseconds of function time of a watch for each tenant");
        (self.requests() * request + self.records() * record + self.looks() * look) * gb
    }

    /// The records of the table's stream that pass the Pipe.
    fn records(&self) -> f64 {
        self.changes() * self.inputs.assumed("records that pass the Pipe for each change")
    }

    /// The requests that change something.
    fn changes(&self) -> f64 {
        self.sum(|work| f64::from(u8::from(work.write_units > 0.0)))
    }

    /// The size of the table in GB.
    fn stored(&self) -> f64 {
        (self.tenants * self.resources() + self.log()) / GB
    }

    /// The bytes of a tenant's rows, without its log.
    fn resources(&self) -> f64 {
        let number = |name| self.inputs.assumed(name);
        let users = number("users of a tenant") + number("deleted users that a tenant keeps");
        users * number("bytes that a user takes in the table")
            + number("groups of a tenant") * number("bytes that a group takes in the table")
            + number("memberships of a tenant")
                * number("bytes that a membership takes in the table")
            + number("bytes that a tenant's counters take in the table")
    }

    /// The bytes of all logs.
    fn log(&self) -> f64 {
        let number = |name| self.inputs.assumed(name);
        let months = number("days for which the table keeps log rows") * 12.0 / 365.0;
        let rows = self.changes() * months * number("log rows for each change");
        rows * number("bytes that a log row takes in the table")
    }

    fn secrets(&self) -> f64 {
        match self.secrets {
            Secrets::Shared => {
                let bytes = self.inputs.assumed("bytes of a tenant in a shared secret");
                let full = self.inputs.assumed("bytes to which a shared secret is filled");
                (self.tenants / (full / bytes).floor()).ceil()
            }
            Secrets::OneEach => self.tenants,
        }
    }

    /// Each instance reads each secret once a minute, and not more often than requests arrive.
    fn secret_calls(&self) -> f64 {
        let further = self.tenants / self.inputs.assumed("tenants for each further instance");
        let instances = 1.0 + further.floor();
        let each_minute = self.secrets() * instances * MINUTES;
        let tool = self.inputs.assumed("secret calls of the operator's tool for each tenant");
        each_minute.min(self.requests()) + self.tenants * tool
    }
}

/// What it costs once to create all users, groups and memberships of a tenant, in dollars.
pub fn first_synchronization(inputs: &Inputs) -> f64 {
    let number = |name| inputs.assumed(name);
    let steps = [
        (number("users of a tenant"), "`userName eq`, no match"),
        (number("users of a tenant"), "create"),
        (number("groups of a tenant"), "create without members"),
        (number("memberships of a tenant"), "add a member"),
    ];
    let larger = number("units of this customer for each unit of the ledger");
    let request = inputs.price("API Gateway, HTTP API")
        + inputs.price("Lambda, requests")
        + inputs.price("CloudWatch, logs taken in") * number("bytes of logs for each request") / GB;
    let dollars = |(times, operation): (f64, &str)| {
        let (read, write) = units(operation);
        let reads = inputs.price("DynamoDB, on-demand reads") * (read * larger + 1.0);
        times * (request + reads + inputs.price("DynamoDB, on-demand writes") * write * larger)
    };
    steps.into_iter().map(dollars).sum()
}
