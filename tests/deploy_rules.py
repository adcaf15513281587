"""Rules for what a deployment may choose: parameters, keys, roles, both APIs, releases, outputs.

template_rules.py runs them on what SAM makes of template.yaml, with their mutants.
"""

import json
import pathlib
import re

from event_rules import NO_VALUE, listed, of_type, unconditional
from template_sets import SECURE, SETS, STREAM, resolved

ALIAS = {"Ref": "ScimFunctionAliaslive"}
KEY = {"Fn::If": ["OwnKey", {"Ref": "KmsKeyArn"}, NO_VALUE]}
TOPIC = {"Fn::If": ["Heard", [{"Ref": "AlarmTopic"}], NO_VALUE]}
BOUNDARY = {"Fn::If": ["Bounded", {"Ref": "PermissionsBoundary"}, NO_VALUE]}
TRANSACTIONS = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}}
# Statements whose actions have no resources that a policy could name, or list the resources.
STARS = {"Trace", "Watch", "ReadQueries", "ReadMetrics"}
# What scimctl reads of a stack. Add to it, and remove nothing.
OUTPUTS = set(
    """BaseUrl TableName SecretsPrefix Region AccountId RetentionDays AuditRetentionDays KmsKeyArn FunctionName
    FunctionLogGroup AccessLogGroup FunctionRoleArn EventPipeRoleArn ReaderPolicyArn OperatorPolicyArn
    MinterPolicyArn""".split()
)
# Resources that cost something without being used, or more than the default does.
EXTRAS = ("AWS::Backup::", "AWS::WAFv2::", "AWS::Route53::", "AWS::ApiGatewayV2::DomainName", "AWS::Events::Archive")
ALARMS = 12  # of a stack with the default parameters

# The actions that the calls of scimctl and of the function were recorded to need. Tests of both
# write these files: no policy may allow less, or more than what is added below with its reason.
VECTORS = pathlib.Path(__file__).parent / "vectors"
RECORDED = {
    **json.loads((VECTORS / "calls-of-scimctl.json").read_text())["policies"],
    **json.loads((VECTORS / "calls-of-function.json").read_text())["roles"],
}
WRITES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}


def recorded(owner, service):
    """What the owner of a policy or role calls of a service, of the table's actions those that read."""
    return {a for a in RECORDED[owner] if a.startswith(f"{service}:")} - WRITES


def recorded_writes(owner):
    return set(RECORDED[owner]) & WRITES


# What no call shows: people read logs, alarms and the dashboard in the console, and services use the
# key for the caller.
LOGS = {"logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartLiveTail", "logs:StartQuery"}
KEY_OF_TABLE = {f"kms:{action}" for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")}
POLICIES = {
    "ReaderPolicy": {
        "FindStack": recorded("ReaderPolicy", "cloudformation"),
        "ReadTable": recorded("ReaderPolicy", "dynamodb"),
        "ReadLogs": LOGS,
        "ReadQueries": {"logs:GetQueryResults", "logs:StopQuery"},
        "ReadMetrics": {"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"},
        "ReadDashboard": {"cloudwatch:GetDashboard"},
        "Key": KEY_OF_TABLE,
    },
    "OperatorPolicy": {"OperateInTransactionsOnly": recorded_writes("OperatorPolicy")},
    "MinterPolicy": {"Mint": recorded("MinterPolicy", "secretsmanager"), "Key": {"kms:Decrypt", "kms:GenerateDataKey"}},
}
ROLES = {
    "ScimRole": {
        "Read": recorded("ScimRole", "dynamodb"),
        "WriteInTransactionsOnly": recorded_writes("ScimRole"),
        "TokenSecrets": recorded("ScimRole", "secretsmanager"),
        "Log": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "Key": KEY_OF_TABLE,
        "Trace": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    "DeploymentRole": {
        "Shift": {"lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"},
        "Watch": {"cloudwatch:DescribeAlarms"},
    },
    "WatchRole": {"Look": {"lambda:InvokeFunction"}},
    "BackupRole": {
        "BackUp": {"dynamodb:CreateBackup", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"},
        "Backups": {"dynamodb:DeleteBackup", "dynamodb:DescribeBackup"},
        "Vault": {"backup:CopyIntoBackupVault", "backup:DescribeBackupVault"},
        "Key": {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
    },
}
ACTIONS = set().union(*(actions for owner in (POLICIES | ROLES).values() for actions in owner.values()))


# --- the rules: each is true of a good template ---------------------------------------------------


def every_role_is_bounded(cfn):
    return all(r["Properties"].get("PermissionsBoundary") == BOUNDARY for r in of_type(cfn, "AWS::IAM::Role"))


def logs_expire_and_have_the_key(cfn):
    groups = [g["Properties"] for g in of_type(cfn, "AWS::Logs::LogGroup")]
    return bool(groups) and all((g.get("RetentionInDays"), g.get("KmsKeyId")) == ({"Ref": "LogRetentionDays"}, KEY) for g in groups)


def everything_kept_has_the_key(cfn):
    keyed = {"AWS::SQS::Queue": "KmsMasterKeyId", "AWS::Events::EventBus": "KmsKeyIdentifier", "AWS::Events::Archive": "KmsKeyIdentifier", "AWS::Backup::BackupVault": "EncryptionKeyArn"}
    (table,) = of_type(cfn, "AWS::DynamoDB::Table")
    wanted = {"Fn::If": ["OwnKey", {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKeyArn"}}, NO_VALUE]}
    return table["Properties"].get("SSESpecification") == wanted and all(
        r["Properties"].get(name) == KEY for kind, name in keyed.items() for r in of_type(cfn, kind)
    )


def queues_demand_tls(cfn):
    """Every queue has a policy that denies requests without TLS."""
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    denied = set()
    for owner in of_type(cfn, "AWS::SQS::QueuePolicy"):
        for s in owner["Properties"]["PolicyDocument"]["Statement"]:
            if (s["Effect"], s["Principal"], s["Action"], s["Condition"]) == ("Deny", "*", "sqs:*", plain):
                denied |= {arn["Fn::GetAtt"][0] for arn in listed(s["Resource"])} & {q["Ref"] for q in owner["Properties"]["Queues"]}
    return denied == {name for name, r in cfn["Resources"].items() if r["Type"] == "AWS::SQS::Queue"}


def policy(cfn, name):
    return {s["Sid"]: s for s in unconditional(cfn["Resources"][name]["Properties"]["PolicyDocument"]["Statement"])}


def inline(cfn, name):
    (only,) = cfn["Resources"][name]["Properties"]["Policies"]
    return {s["Sid"]: s for s in unconditional(only["PolicyDocument"]["Statement"])}


def allowed(statements):
    return {sid: set(listed(s["Action"])) for sid, s in statements.items()}


def readers_see_every_log(cfn):
    """Each group in the forms that the actions want, and the dashboard by its name."""
    reader = policy(cfn, "ReaderPolicy")
    named = [r["Fn::If"][1] if isinstance(r, dict) and "Fn::If" in r else r for r in reader["ReadLogs"]["Resource"]]
    groups = {name for name, r in cfn["Resources"].items() if r["Type"] == "AWS::Logs::LogGroup"}
    wanted = [{"Fn::GetAtt": [name, "Arn"]} for name in groups]
    wanted += [{"Fn::Sub": f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{name}}}"} for name in groups]
    dashboard = {"Fn::Sub": "arn:${AWS::Partition}:cloudwatch::${AWS::AccountId}:dashboard/${AWS::StackName}"}
    (shown,) = of_type(cfn, "AWS::CloudWatch::Dashboard")
    return (
        sorted(map(json.dumps, named)) == sorted(map(json.dumps, wanted))
        and reader["ReadDashboard"]["Resource"] == dashboard
        and shown["Properties"]["DashboardName"] == {"Ref": "AWS::StackName"}
    )


def rights_are_exact(cfn):
    return all(allowed(policy(cfn, name)) == rights for name, rights in POLICIES.items()) and all(
        allowed(inline(cfn, name)) == rights for name, rights in ROLES.items()
    )


def keys_are_used_through_services(cfn):
    owners = [inline(cfn, name) for name in (*ROLES, "EventPipeRole")] + [policy(cfn, name) for name in POLICIES]
    keys = [statement for owner in owners for sid, statement in owner.items() if sid == "Key"]
    return len(keys) == 5 and all(k["Resource"] == {"Ref": "KmsKeyArn"} and "kms:ViaService" in k.get("Condition", {}).get("StringEquals", {}) for k in keys)


def minting_needs_mfa(cfn):
    mfa = {"Fn::If": ["MfaNeeded", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, NO_VALUE]}
    return policy(cfn, "MinterPolicy")["Mint"].get("Condition") == mfa and cfn["Parameters"]["MinterNeedsMfa"]["Default"] == "yes"


def secrets_are_this_stacks(cfn):
    names = [r["Fn::Sub"] for r in policy(cfn, "MinterPolicy")["Mint"]["Resource"]]
    return [n.rsplit("secret:", 1)[1] for n in names] == ["scim/${AWS::StackName}/tokens/*", "scim/${AWS::StackName}/kept/*"]


def integrations(cfn):
    for kind in ("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"):
        for api in of_type(cfn, kind):
            for methods in api["Properties"]["Body"]["paths"].values():
                for method in methods.values():
                    yield method["x-amazon-apigateway-integration"]


def all_call_the_alias(cfn):
    """Both APIs, the permission of API Gateway, both Pipes and their role name the alias."""
    uris = [i["uri"]["Fn::Sub"] for i in integrations(cfn)]
    permissions = [p["Properties"]["FunctionName"] for p in of_type(cfn, "AWS::Lambda::Permission")]
    pipes = [p["Properties"]["Enrichment"] for p in of_type(cfn, "AWS::Pipes::Pipe")]
    return (
        len(uris) == 2
        and all("/functions/${ScimFunction.Arn}:live/invocations" in uri for uri in uris)
        and permissions == [ALIAS]
        and pipes == [ALIAS, ALIAS]
        and inline(cfn, "EventPipeRole")["Enrich"]["Resource"] == ALIAS
    )


def references(node):
    """The names that a part of the template refers to."""
    if isinstance(node, list):
        for part in node:
            yield from references(part)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{(\w+)", value if isinstance(value, str) else value[0])
            yield from references(value)


def new_settings_are_a_new_version(cfn):
    """Each parameter of the function is in the description of the version, which fits."""
    (function,) = of_type(cfn, "AWS::Lambda::Function")
    (version,) = of_type(cfn, "AWS::Lambda::Version")
    properties = {k: v for k, v in function["Properties"].items() if k != "ReservedConcurrentExecutions"}
    conditions = {"Fn::If": list(cfn["Conditions"].values())}
    names = set(references(properties)) | {n for n in references(conditions) if any(c in json.dumps(properties) for c in about(cfn, n))}
    parameters = names & set(cfn["Parameters"])
    description = version["Properties"].get("Description", "")
    fits = len(longest(cfn, description)) <= 256
    return fits and len(parameters) > 5 and parameters <= set(references(description))


def longest(cfn, node):
    """The longest text that a description can have."""
    if isinstance(node, str):
        return node
    ((function, value),) = node.items()
    if function == "Ref":
        return "x" * longest_value(cfn["Parameters"][value])
    if function == "Fn::If":
        return max((longest(cfn, part) for part in value[1:]), key=len)
    if function == "Fn::Select":  # the id at the end of the key's ARN, which has a fixed length
        return "x" * longest_value({"AllowedPattern": cfn["Parameters"]["KmsKeyArn"]["AllowedPattern"].split("key/")[1]})
    text, names = (value, {}) if isinstance(value, str) else value
    return re.sub(r"\$\{(\w+)\}", lambda m: longest(cfn, names.get(m[1], {"Ref": m[1]})), text)


def about(cfn, parameter):
    """The conditions that look at a parameter, as the text that uses them."""
    return [f'"Fn::If": ["{name}"' for name, condition in cfn["Conditions"].items() if parameter in references(condition)]


def longest_value(parameter):
    if "MaxLength" in parameter:
        return int(parameter["MaxLength"])
    if "AllowedValues" in parameter:
        return max(len(str(v)) for v in parameter["AllowedValues"])
    if "MaxValue" in parameter:
        return len(str(parameter["MaxValue"]))
    return int(re.search(r"(\d+)\}\)\?\$$", parameter["AllowedPattern"])[1])


def every_alarm_has_the_topic(cfn):
    alarms = of_type(cfn, "AWS::CloudWatch::Alarm")
    topics = {None: TOPIC, "Published": TOPIC, "Gradual": TOPIC, "Heard": TOPIC["Fn::If"][1]}
    return bool(alarms) and all(a["Properties"].get("AlarmActions") == topics[a.get("Condition")] for a in alarms)


def a_canary_is_taken_back(cfn):
    (group,) = of_type(cfn, "AWS::CodeDeploy::DeploymentGroup")
    names = [a["Name"]["Ref"] for a in group["Properties"]["AlarmConfiguration"]["Alarms"]]
    alarms = [cfn["Resources"][name]["Properties"] for name in names]
    rest, http = (
        {d["Name"] for d in dimensions} for dimensions in alarms[1]["Dimensions"]["Fn::If"][1:]
    )
    return (
        "DEPLOYMENT_STOP_ON_ALARM" in group["Properties"]["AutoRollbackConfiguration"]["Events"]
        and group["Properties"]["ServiceRoleArn"] == {"Fn::GetAtt": ["DeploymentRole", "Arn"]}
        and [a["MetricName"] for a in alarms] == ["Errors", {"Fn::If": ["Rest", "5XXError", "5xx"]}]
        and alarms[0]["Dimensions"][1]["Value"] == {"Fn::Sub": "${ScimFunction}:live"}
        and (rest, http) == ({"ApiName", "Stage"}, {"ApiId", "Stage"})
    )


def stages(cfn):
    return [s["Properties"] for kind in ("AWS::ApiGatewayV2::Stage", "AWS::ApiGateway::Stage") for s in of_type(cfn, kind)]


def both_apis_are_alike(cfn):
    """One stage each, the same throttle, the same fields in the log, and the same way to close it."""
    http, rest = stages(cfn)
    (settings,) = rest["MethodSettings"]
    throttle = {name: settings[name] for name in ("ThrottlingRateLimit", "ThrottlingBurstLimit")}
    formats = [json.loads(s["Format"]) for s in (http["AccessLogSettings"], rest["AccessLogSetting"])]
    bodies = [api["Properties"]["Body"] for kind in ("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi") for api in of_type(cfn, kind)]
    closed = '"disableExecuteApiEndpoint": {"Fn::If": ["Closed", true, false]}'
    return (
        throttle.items() <= http["DefaultRouteSettings"].items()
        and (settings["ResourcePath"], settings["HttpMethod"], settings["DataTraceEnabled"]) == ("/*", "*", False)
        and list(formats[0]) == list(formats[1])
        and not any("StageName" in d["Properties"] for d in of_type(cfn, "AWS::ApiGateway::Deployment"))
        and all(closed in json.dumps(body) for body in bodies)
        and [i.get("payloadFormatVersion") for i in integrations(cfn)].count("2.0") == 1
    )


def access_logs_are_quiet(cfn):
    banned = ("querystring", "header", "authorizer", "$context.path", "$context.resourcepath", "$input", "$request")
    formats = [s.get("AccessLogSettings", s.get("AccessLogSetting"))["Format"].lower() for s in stages(cfn)]
    return len(formats) == 2 and not any(word in text for word in banned for text in formats)


def one_api_at_a_time(cfn):
    kinds = ("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi")
    made = {api: [len(of_type(resolved(cfn, {"ApiType": api}), kind)) for kind in kinds] for api in ("HTTP", "REST")}
    return made == {"HTTP": [1, 0], "REST": [0, 1]}


def the_domain_is_the_base_url(cfn):
    def urls(**chosen):
        made = resolved(cfn, SECURE | chosen)
        (function,) = of_type(made, "AWS::Lambda::Function")
        return made["Outputs"]["BaseUrl"]["Value"], function["Properties"]["Environment"]["Variables"]["SCIM_BASE_URL"]

    own = "https://scim.example.com/scim/v2"
    other = "https://id.example.com/x/scim/v2"
    return urls() == (own, own) and urls(BaseUrl=other) == (other, other) and urls(DomainName="")[1] == ""


def mutual_tls_on_the_domain(cfn):
    (domain,) = of_type(resolved(cfn, SECURE), "AWS::ApiGatewayV2::DomainName")
    (plain,) = of_type(resolved(cfn, SECURE | {"TruststoreUri": ""}), "AWS::ApiGatewayV2::DomainName")
    (configuration,) = domain["Properties"]["DomainNameConfigurations"]
    return (
        domain["Properties"].get("MutualTlsAuthentication") == {"TruststoreUri": SECURE["TruststoreUri"]}
        and "MutualTlsAuthentication" not in plain["Properties"]
        and configuration.get("SecurityPolicy") == "TLS_1_2"
    )


def an_existing_table_is_used(cfn):
    """Nothing names a table of the stack if it has none."""
    made = resolved(cfn, SETS["existing"])
    return not of_type(made, "AWS::DynamoDB::Table") and '"ScimTable' not in json.dumps(made) and STREAM in json.dumps(made)


def outputs_are_complete(cfn):
    return set(cfn["Outputs"]) >= OUTPUTS


def the_default_costs_nothing_more(cfn):
    made = resolved(cfn, {})
    text = json.dumps(made["Resources"])
    return (
        not any(r["Type"].startswith(EXTRAS) for r in made["Resources"].values())
        and len(of_type(made, "AWS::CloudWatch::Alarm")) == ALARMS
        and not any(word in text for word in ("WarmThroughput", "ReservedConcurrent", '"Active"', "aws:kms"))
        and '"DetailedMetricsEnabled": false' in text
    )


def the_form_is_complete(cfn):
    form = cfn["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in form["ParameterGroups"] for name in group["Parameters"]]
    return sorted(grouped) == sorted(cfn["Parameters"]) == sorted(form["ParameterLabels"])


def no_parameter_is_asked_without_a_default(cfn):
    """`sam deploy --guided` goes on with Enter at each question; it asks for NoEcho without end."""
    return all("Default" in p and "NoEcho" not in p for p in cfn["Parameters"].values())


def first(cfn, kind):
    return of_type(cfn, kind)[0]["Properties"]


def drop_from_description(cfn, name):
    """Takes a parameter out of the description of the version, wherever it is named."""
    version = first(cfn, "AWS::Lambda::Version")
    text = json.dumps(version["Description"]).replace("${%s}" % name, "").replace('{"Ref": "%s"}' % name, '""')
    version["Description"] = json.loads(text)


# Each rule with ways to break it.
RULES = {
    "deploy: every role has the boundary": (
        every_role_is_bounded,
        lambda c: first(c, "AWS::IAM::Role").pop("PermissionsBoundary"),
        lambda c: c["Resources"]["EventDestinationRole"]["Properties"].update(PermissionsBoundary={"Ref": "AWS::NoValue"}),
    ),
    "deploy: every log group expires and has the key": (
        logs_expire_and_have_the_key,
        lambda c: first(c, "AWS::Logs::LogGroup").pop("KmsKeyId"),
        lambda c: c["Resources"]["EventLogs"]["Properties"].pop("RetentionInDays"),
    ),
    "deploy: table, queues, bus, archive and backups have the key": (
        everything_kept_has_the_key,
        lambda c: first(c, "AWS::DynamoDB::Table").pop("SSESpecification"),
        lambda c: of_type(c, "AWS::SQS::Queue")[1]["Properties"].pop("KmsMasterKeyId"),
        lambda c: first(c, "AWS::Events::EventBus").pop("KmsKeyIdentifier"),
        lambda c: first(c, "AWS::Backup::BackupVault").pop("EncryptionKeyArn"),
    ),
    "deploy: queues are reached by TLS only": (
        queues_demand_tls,
        lambda c: of_type(c, "AWS::SQS::QueuePolicy")[1]["Properties"]["Queues"].pop(),
        lambda c: first(c, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"].pop(),
        lambda c: of_type(c, "AWS::SQS::QueuePolicy")[1]["Properties"]["PolicyDocument"]["Statement"][0].update(Effect="Allow"),
    ),
    "deploy: operators and roles have exactly these rights": (
        rights_are_exact,
        lambda c: policy(c, "ReaderPolicy")["ReadTable"]["Action"].append("dynamodb:Scan"),
        lambda c: policy(c, "OperatorPolicy")["OperateInTransactionsOnly"]["Action"].pop(),
        lambda c: policy(c, "MinterPolicy")["Mint"]["Action"].append("secretsmanager:DeleteSecret"),
        lambda c: inline(c, "BackupRole")["BackUp"]["Action"].append("dynamodb:DeleteTable"),
        lambda c: inline(c, "ScimRole")["TokenSecrets"].update(Action="secretsmanager:PutSecretValue"),
    ),
    "deploy: the key is used only through the services that need it": (
        keys_are_used_through_services,
        lambda c: inline(c, "ScimRole")["Key"].pop("Condition"),
        lambda c: policy(c, "MinterPolicy")["Key"].update(Resource="*"),
        lambda c: inline(c, "EventPipeRole")["Key"].update(Sid="Other"),
    ),
    "deploy: minting needs MFA unless the parameter says otherwise": (
        minting_needs_mfa,
        lambda c: policy(c, "MinterPolicy")["Mint"].pop("Condition"),
        lambda c: c["Parameters"]["MinterNeedsMfa"].update(Default="no"),
    ),
    "deploy: minters reach this stack's secrets only": (
        secrets_are_this_stacks,
        lambda c: policy(c, "MinterPolicy")["Mint"]["Resource"].append({"Fn::Sub": "arn:aws:secretsmanager:secret:scim/*"}),
    ),
    "deploy: API and Pipes call the alias": (
        all_call_the_alias,
        lambda c: next(integrations(c)).update(uri={"Fn::Sub": "arn:x/functions/${ScimFunction.Arn}/invocations"}),
        lambda c: first(c, "AWS::Lambda::Permission").update(FunctionName={"Ref": "ScimFunction"}),
        lambda c: of_type(c, "AWS::Pipes::Pipe")[1]["Properties"].update(Enrichment={"Fn::GetAtt": ["ScimFunction", "Arn"]}),
        lambda c: inline(c, "EventPipeRole")["Enrich"].update(Resource={"Fn::GetAtt": ["ScimFunction", "Arn"]}),
    ),
    "deploy: a new value of a parameter is a new version": (
        new_settings_are_a_new_version,
        lambda c: drop_from_description(c, "EventEpoch"),
        lambda c: drop_from_description(c, "ExistingTable"),
        lambda c: drop_from_description(c, "DomainName"),
        lambda c: drop_from_description(c, "Tracing"),
        lambda c: drop_from_description(c, "KmsKeyArn"),
        lambda c: first(c, "AWS::Lambda::Version").pop("Description"),
        lambda c: c["Parameters"]["BaseUrl"].update(MaxLength=200),
    ),
    "deploy: readers see every log and the dashboard": (
        readers_see_every_log,
        lambda c: policy(c, "ReaderPolicy")["ReadLogs"]["Resource"].pop(),
        lambda c: policy(c, "ReaderPolicy")["ReadLogs"]["Resource"].append("*"),
        lambda c: policy(c, "ReaderPolicy")["ReadDashboard"].update(Resource="*"),
        lambda c: first(c, "AWS::CloudWatch::Dashboard").update(DashboardName="x"),
    ),
    "deploy: every alarm has the topic": (
        every_alarm_has_the_topic,
        lambda c: first(c, "AWS::CloudWatch::Alarm").pop("AlarmActions"),
        lambda c: c["Resources"]["ReleaseErrorAlarm"]["Properties"].update(AlarmActions=[]),
    ),
    "deploy: alarms take a canary back": (
        a_canary_is_taken_back,
        lambda c: first(c, "AWS::CodeDeploy::DeploymentGroup")["AutoRollbackConfiguration"].update(Events=[]),
        lambda c: c["Resources"]["ReleaseErrorAlarm"]["Properties"].update(MetricName="Duration"),
        lambda c: c["Resources"]["ReleaseErrorAlarm"]["Properties"]["Dimensions"][1].update(Value="x"),
        lambda c: c["Resources"]["ReleaseServerErrorAlarm"]["Properties"].update(MetricName="5xx"),
    ),
    "deploy: both APIs are alike": (
        both_apis_are_alike,
        lambda c: first(c, "AWS::ApiGateway::Stage")["MethodSettings"][0].update(ThrottlingRateLimit=5000),
        lambda c: first(c, "AWS::ApiGateway::Stage")["MethodSettings"][0].update(DataTraceEnabled=True),
        lambda c: first(c, "AWS::ApiGateway::Stage")["AccessLogSetting"].update(Format="{}"),
        lambda c: first(c, "AWS::ApiGateway::Deployment").update(StageName="Stage"),
        lambda c: first(c, "AWS::ApiGateway::RestApi")["Body"].pop("servers"),
        lambda c: first(c, "AWS::ApiGatewayV2::Api")["Body"].pop("servers"),
    ),
    "deploy: no access log has paths, headers or tokens": (
        access_logs_are_quiet,
        lambda c: first(c, "AWS::ApiGateway::Stage")["AccessLogSetting"].update(Format='{"path":"$context.path"}'),
        lambda c: first(c, "AWS::ApiGatewayV2::Stage")["AccessLogSettings"].update(Format='{"q":"$request.querystring.filter"}'),
    ),
    "deploy: one API at a time": (
        one_api_at_a_time,
        lambda c: c["Resources"]["ScimApi"].pop("Condition"),
        lambda c: c["Resources"]["ScimRestApi"].update(Condition="Http"),
    ),
    "deploy: the base URL follows from the domain": (
        the_domain_is_the_base_url,
        lambda c: c["Outputs"]["BaseUrl"].update(Value={"Ref": "BaseUrl"}),
        lambda c: first(c, "AWS::Lambda::Function")["Environment"]["Variables"].update(SCIM_BASE_URL={"Ref": "BaseUrl"}),
    ),
    "deploy: mutual TLS if there are authorities": (
        mutual_tls_on_the_domain,
        lambda c: first(c, "AWS::ApiGatewayV2::DomainName").pop("MutualTlsAuthentication"),
        lambda c: first(c, "AWS::ApiGatewayV2::DomainName")["DomainNameConfigurations"][0].update(SecurityPolicy="TLS_1_0"),
    ),
    "deploy: an existing table takes the place of the stack's": (
        an_existing_table_is_used,
        lambda c: c["Resources"]["ScimTable"].pop("Condition"),
        lambda c: inline(c, "ScimRole")["Read"].update(Resource={"Fn::GetAtt": ["ScimTable", "Arn"]}),
        lambda c: c["Outputs"]["TableName"].update(Value={"Ref": "ScimTable"}),
    ),
    "deploy: the outputs that scimctl reads": (
        outputs_are_complete,
        *(lambda c, name=name: c["Outputs"].pop(name) for name in ("TableName", "AuditRetentionDays", "KmsKeyArn", "MinterPolicyArn")),
    ),
    "deploy: the default has nothing that costs extra": (
        the_default_costs_nothing_more,
        lambda c: c["Parameters"]["BackupDays"].update(Default=7),
        lambda c: c["Parameters"]["DeploymentPreference"].update(Default="Canary10Percent5Minutes"),
        lambda c: c["Parameters"]["DetailedMetrics"].update(Default="on"),
        lambda c: c["Parameters"]["WarmWriteUnits"].update(Default=8000),
        lambda c: c["Resources"]["ReleaseErrorAlarm"].pop("Condition"),
    ),
    "deploy: the console's form has every parameter": (
        the_form_is_complete,
        lambda c: c["Metadata"]["AWS::CloudFormation::Interface"]["ParameterLabels"].pop("TableName"),
        lambda c: c["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].pop(),
    ),
    "deploy: Enter answers every question of a guided deployment": (
        no_parameter_is_asked_without_a_default,
        lambda c: c["Parameters"]["TableName"].pop("Default"),
        lambda c: c["Parameters"]["EventApiKeySecret"].update(NoEcho=True),
    ),
}
