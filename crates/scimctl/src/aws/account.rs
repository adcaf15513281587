//! One signed call of AWS's query protocol, for which a whole client of the SDK would be too much.

use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::service_config::ServiceConfigKey;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use scim_lambda::sdk;
use tokio::time::timeout;

use super::session::Session;

/// How long one try can take, to the end of the answer. CloudFormation answers in a fraction of a second.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How often a call is tried.
const TRIES: u32 = 4;
/// The pause after the first try. It doubles with each further one.
const PAUSE: Duration = Duration::from_millis(200);
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// A service of the query protocol.
pub(super) struct Service {
    /// Its name in addresses and signatures, such as `cloudformation`.
    pub(super) name: &'static str,
    /// Its name in the AWS configuration, such as `CloudFormation`.
    pub(super) id: &'static str,
}

/// An answer: its status and its text.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

/// Sends a form to a service, again if the service fails or does not answer.
pub(super) async fn call(
    session: &Session,
    service: &Service,
    form: &str,
) -> anyhow::Result<Answer> {
    let Session { sdk, credentials } = session;
    let url = endpoint(sdk, service)?;
    let region = sdk.region().map(AsRef::as_ref).unwrap_or_default();
    let place = Place { service: service.name, region, url: &url };
    for attempt in 1.. {
        let request = signed(&place, form, credentials, SystemTime::now())?;
        let answer = timeout(ATTEMPT, send(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(anyhow!("no answer in {ATTEMPT:?}")));
        let is_over = match &answer {
            Ok(answer) => answer.status < 500 && !answer.text.contains("<Code>Throttling</Code>"),
            Err(_) => false,
        };
        if is_over || attempt >= TRIES {
            return answer.with_context(|| format!("{} is not responding at {url}", service.id));
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
    }
    Err(anyhow!("{} is not responding at {url}", service.id))
}

async fn send(request: HttpRequest) -> anyhow::Result<Answer> {
    let settings = HttpConnectorSettings::builder();
    let settings = settings.connect_timeout(sdk::CONNECT).read_timeout(ATTEMPT).build();
    let connector = Connector::builder().connector_settings(settings);
    let connector = connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
    let mut response = connector.call(request).await?;
    let body: Bytes = response.take_body().collect().await.map_err(|why| anyhow!(why))?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: response.status().as_u16(), text })
}

/// Where a request goes.
struct Place<'c> {
    service: &'static str,
    region: &'c str,
    url: &'c str,
}

/// A request that is signed at this time.
fn signed(
    place: &Place<'_>,
    form: &str,
    credentials: &Credentials,
    time: SystemTime,
) -> anyhow::Result<HttpRequest> {
    let url = place.url;
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(place.region)
        .name(place.service)
        .time(time)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let headers = [("content-type", FORM)];
    let body = SignableBody::Bytes(form.as_bytes());
    let signable = SignableRequest::new("POST", url, headers.into_iter(), body)?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let mut request = HttpRequest::new(SdkBody::from(form));
    request.set_method("POST")?;
    request.set_uri(url)?;
    let all = headers.into_iter().chain(instructions.headers());
    for (name, value) in all {
        request.headers_mut().try_insert(name.to_owned(), value.to_owned())?;
    }
    Ok(request)
}

/// The address of a service: the one that the environment or the AWS configuration names, or AWS's.
fn endpoint(sdk: &SdkConfig, service: &Service) -> anyhow::Result<String> {
    let key = ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL");
    let key = key.profile("endpoint_url").build()?;
    let own = sdk.service_config().and_then(|config| config.load_config(key));
    if let Some(url) = own.or_else(|| sdk.endpoint_url().map(str::to_owned)) {
        return Ok(format!("{}/", url.trim_end_matches('/')));
    }
    let region = sdk.region().map(AsRef::as_ref).unwrap_or_default();
    Ok(address(service.name, region, sdk.use_fips() == Some(true)))
}

/// AWS's own address of a service. In GovCloud, the usual addresses are those for FIPS.
fn address(service: &str, region: &str, is_fips: bool) -> String {
    let fips = if is_fips && !region.starts_with("us-gov-") { "-fips" } else { "" };
    format!("https://{service}{fips}.{region}.{}/", suffix(region))
}

/// How addresses in a Region end.
fn suffix(region: &str) -> &'static str {
    match region.split('-').next().unwrap_or_default() {
        "cn" => "amazonaws.com.cn",
        "eusc" => "amazonaws.eu",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ if region.starts_with("us-isof-") => "csp.hci.ic.gov",
        _ if region.starts_with("eu-isoe-") => "cloud.adc-e.uk",
        _ => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_addresses() {
        for (region, is_fips, host) in [
            ("eu-central-1", false, "cloudformation.eu-central-1.amazonaws.com"),
            ("us-east-1", true, "cloudformation-fips.us-east-1.amazonaws.com"),
            ("us-gov-west-1", false, "cloudformation.us-gov-west-1.amazonaws.com"),
            ("us-gov-west-1", true, "cloudformation.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", false, "cloudformation.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", false, "cloudformation.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", false, "cloudformation.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", false, "cloudformation.us-isob-east-1.sc2s.sgov.gov"),
            ("us-isof-south-1", false, "cloudformation.us-isof-south-1.csp.hci.ic.gov"),
            ("eu-isoe-west-1", false, "cloudformation.eu-isoe-west-1.cloud.adc-e.uk"),
        ] {
            let address = address("cloudformation", region, is_fips);
            assert_eq!(address, format!("https://{host}/"), "{region}");
        }
    }

    /// The signature is botocore's for the same request.
    #[test]
    fn a_request_is_signed_as_botocore_signs_it() {
        let token = "session//token+=".to_owned();
        let (id, secret) = ("AKIDEXAMPLE", "secret/example+key");
        let credentials = Credentials::new(id, secret, Some(token.clone()), None, "test");
        let url = "https://cloudformation.eu-central-1.amazonaws.com/";
        let place = Place { service: "cloudformation", region: "eu-central-1", url };
        let form = "Action=DescribeStacks&Version=2010-05-15&StackName=a-b%2Fc";
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        let request = signed(&place, form, &credentials, time).unwrap();
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        assert_eq!(header("x-amz-date"), "20260102T030405Z");
        assert_eq!(header("x-amz-security-token"), token);
        assert_eq!(
            header("authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-central-1/cloudformation/\
             aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
             Signature=4324f52c5f15b84aaf2529ac29964cc8c4549a41c6f5ae4ac0c3c042b2d428c6"
        );
    }
}
