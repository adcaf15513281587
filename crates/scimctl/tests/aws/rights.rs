//! The rights that a call needs, as IAM names them.

use std::collections::BTreeSet;

use crate::account::Call;

/// The actions of IAM that a call needs, each with the kind of its resource, such as
/// `dynamodb:Query on table`.
pub(crate) fn of(call: &Call) -> BTreeSet<String> {
    let Call { service, operation, body } = call;
    match (*service, operation.as_str()) {
        ("cloudformation", _) => [format!("cloudformation:{operation} on stack")].into(),
        ("secretsmanager", _) => {
            let name = body["SecretId"].as_str().or(body["Name"].as_str()).unwrap();
            let kind = name.split('/').nth(2).unwrap();
            [format!("secretsmanager:{operation} on {kind}")].into()
        }
        // Each action of a transaction needs the right of the same action alone.
        (_, "TransactWriteItems") => {
            let actions = body["TransactItems"].as_array().unwrap().iter();
            let names = actions.flat_map(|action| action.as_object().unwrap().keys());
            names.map(|name| write(name)).collect()
        }
        _ => [format!("dynamodb:{operation} on table")].into(),
    }
}

fn write(action: &str) -> String {
    match action {
        "ConditionCheck" => "dynamodb:ConditionCheckItem on table".to_owned(),
        action => format!("dynamodb:{action}Item on table"),
    }
}
