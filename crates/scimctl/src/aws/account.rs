//! One signed call of AWS's query protocol, for which a whole client of the SDK would be too much.

use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
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

/// How long one try can take. CloudFormation answers in a fraction of a second.
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
pub(super) async fn call(sdk: &SdkConfig, service: &Service, form: &str) -> anyhow::Result<Answer> {
    let url = endpoint(sdk, service)?;
    for attempt in 1.. {
        let answer = send(sdk, service, &url, form).await;
        let is_over = match &answer {
            Ok(answer) => answer.status < 500 && !answer.text.contains("<Code>Throttling</Code>"),
            Err(_) => false,
        };
        if is_over || attempt >= TRIES {
            return answer.with_context(|| format!("{} is not responding at {url}", service.id));
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
    }
    Err(anyhow!("{} is not responding at {url}", service.id))
}

async fn send(sdk: &SdkConfig, service: &Service, url: &str, form: &str) -> anyhow::Result<Answer> {
    let request = signed(sdk, service, url, form).await?;
    let settings = HttpConnectorSettings::builder();
    let settings = settings.connect_timeout(sdk::CONNECT).read_timeout(ATTEMPT).build();
    let connector = Connector::builder().connector_settings(settings);
    let connector = connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
    let mut response = connector.call(request).await?;
    let body: Bytes = response.take_body().collect().await.map_err(|why| anyhow!(why))?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: response.status().as_u16(), text })
}

async fn signed(
    sdk: &SdkConfig,
    service: &Service,
    url: &str,
    form: &str,
) -> anyhow::Result<HttpRequest> {
    let provider = sdk.credentials_provider().context("no AWS credentials were found")?;
    let identity = provider.provide_credentials().await?.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(sdk.region().map(AsRef::as_ref).unwrap_or_default())
        .name(service.name)
        .time(SystemTime::now())
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
    let fips = if sdk.use_fips() == Some(true) { "-fips" } else { "" };
    Ok(format!("https://{}{fips}.{region}.{}/", service.name, suffix(region)))
}

/// How addresses in a Region end.
fn suffix(region: &str) -> &'static str {
    match region.split('-').next().unwrap_or_default() {
        "cn" => "amazonaws.com.cn",
        "eusc" => "amazonaws.eu",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    }
}
