//! What CloudFormation says about a stack.

use std::collections::BTreeMap;

use anyhow::Context;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::account::{self, Service};
use super::session::Session;

const CLOUDFORMATION: Service = Service { name: "cloudformation", id: "CloudFormation" };

/// The characters of a form's value that are encoded: all but letters, digits and `-._~`.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The outputs of a stack by their names.
pub(super) type Outputs = BTreeMap<String, String>;

/// What CloudFormation answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Described {
    Stack(Outputs),
    /// It refuses, with a code and a message.
    Refused(String, String),
}

/// Asks for a stack.
pub(super) async fn describe(session: &Session, stack: &str) -> anyhow::Result<Described> {
    let form = format!("Action=DescribeStacks&Version=2010-05-15&StackName={}", encoded(stack));
    let answer = account::call(session, &CLOUDFORMATION, &form).await?;
    read(&answer.text).with_context(|| format!("CloudFormation answered {}", answer.status))
}

/// A value of a form.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

fn read(text: &str) -> Result<Described, XmlDecodeError> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    if root.start_el().matches("ErrorResponse") {
        return refusal(&mut root);
    }
    let mut outputs = Outputs::new();
    each(&mut root, "DescribeStacksResult", |result| {
        each(result, "Stacks", |stacks| {
            each(stacks, "member", |stack| {
                each(stack, "Outputs", |all| {
                    each(all, "member", |output| {
                        let pair = texts(output)?;
                        let of = |name: &str| pair.get(name).cloned().unwrap_or_default();
                        outputs.insert(of("OutputKey"), of("OutputValue"));
                        Ok(())
                    })
                })
            })
        })
    })?;
    Ok(Described::Stack(outputs))
}

fn refusal(root: &mut ScopedDecoder<'_, '_>) -> Result<Described, XmlDecodeError> {
    let mut parts = BTreeMap::new();
    each(root, "Error", |error| {
        parts = texts(error)?;
        Ok(())
    })?;
    let mut take = |name: &str| parts.remove(name).unwrap_or_default();
    Ok(Described::Refused(take("Code"), take("Message")))
}

/// Reads each child of this name, and passes over the others.
fn each<'inp>(
    parent: &mut ScopedDecoder<'inp, '_>,
    name: &str,
    mut read: impl FnMut(&mut ScopedDecoder<'inp, '_>) -> Result<(), XmlDecodeError>,
) -> Result<(), XmlDecodeError> {
    while let Some(mut child) = parent.next_tag() {
        if child.start_el().matches(name) {
            read(&mut child)?;
        }
    }
    Ok(())
}

/// The texts of all children that have only text.
fn texts(parent: &mut ScopedDecoder<'_, '_>) -> Result<BTreeMap<String, String>, XmlDecodeError> {
    let mut texts = BTreeMap::new();
    while let Some(mut child) = parent.next_tag() {
        let name = child.start_el().local().to_owned();
        texts.insert(name, try_data(&mut child)?.into_owned());
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outputs_of_a_stack_are_read_past_everything_else() {
        let text = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
          <DescribeStacksResult><Stacks><member><StackName>scim</StackName>
            <Parameters><member><ParameterKey>TableName</ParameterKey><ParameterValue/></member></Parameters>
            <Outputs>
              <member><OutputKey>TableName</OutputKey><OutputValue>a&amp;b</OutputValue><Description>The table</Description></member>
              <member><OutputKey>Region</OutputKey><OutputValue>eu-west-1</OutputValue></member>
            </Outputs><Tags/></member></Stacks></DescribeStacksResult>
          <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>"#;
        let outputs = [("Region", "eu-west-1"), ("TableName", "a&b")];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(text).unwrap(), Described::Stack(outputs.into()));
        let text = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
            <Message>Stack with id x does not exist</Message></Error></ErrorResponse>";
        let refused = ("ValidationError".to_owned(), "Stack with id x does not exist".to_owned());
        assert_eq!(read(text).unwrap(), Described::Refused(refused.0, refused.1));
        assert!(read("<html").is_err() && read("").is_err());
    }

    #[test]
    fn names_of_stacks_are_encoded() {
        assert_eq!(encoded("a-b/c d"), "a-b%2Fc%20d");
    }
}
