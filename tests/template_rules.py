"""Rules of our own for template.yaml, checked on what SAM makes of it (stars hide before that).

Every rule is tried twice: the template must keep it, and a copy in which it is broken on purpose
must be caught; a rule that catches nothing is no rule.
"""

import copy
import json
import logging
import sys
import tomllib

import deploy_rules
import event_rules
import template_sets
import watch_rules
from event_rules import listed, of_type, unconditional
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

# SAM says about features of its own that nobody asked for them.
logging.getLogger("samtranslator").setLevel(logging.CRITICAL)

OTHER_TABLE = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTable}"
TABLE_ARN = {"Fn::If": ["TableMade", {"Fn::GetAtt": ["ScimTable", "Arn"]}, {"Fn::Sub": OTHER_TABLE}]}
WRITES = deploy_rules.WRITES
ACTIONS = deploy_rules.ACTIONS | event_rules.ACTIONS
SECRETS = "secret:scim/${AWS::StackName}/tokens/*"


class NoManagedPolicies:
    """SAM wants AWS's list of managed policies; this template uses none."""

    def load(self):
        return {}


def translate(template, chosen=None):
    """What SAM makes of the template with these parameters. Without any, it is what has most parts."""
    template = copy.deepcopy(template)
    chosen = {"DeploymentPreference": "Canary10Percent5Minutes"} if chosen is None else chosen
    for resource in template["Resources"].values():
        if "CodeUri" in resource["Properties"]:
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return transform(template, template_sets.defaults(template) | chosen, NoManagedPolicies())


def table(cfn):
    (only,) = of_type(cfn, "AWS::DynamoDB::Table")
    return only


def statements(cfn):
    for role in of_type(cfn, "AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", []):
            yield from unconditional(policy["PolicyDocument"]["Statement"])
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for policy in of_type(cfn, kind):
            yield from unconditional(policy["Properties"]["PolicyDocument"]["Statement"])


def actions(statement):
    return set(listed(statement.get("Action", "*")))


# --- the rules: each is true of a good template ---------------------------------------------------


def only_known_actions(cfn):
    used = [actions(s) for s in statements(cfn)]
    return set().union(*used) == ACTIONS and all(s["Effect"] == "Allow" for s in statements(cfn))


def no_managed_policies(cfn):
    return not any(r["Properties"].get("ManagedPolicyArns") for r in of_type(cfn, "AWS::IAM::Role"))


def exact_table(cfn):
    backups = {"Fn::Sub": ["${Table}/backup/*", {"Table": TABLE_ARN}]}
    others = {"Stream": event_rules.STREAM_ARN, "Backups": backups}
    return all(
        listed(s["Resource"]) == [others.get(s["Sid"], TABLE_ARN)]
        for s in statements(cfn)
        if any(a.startswith("dynamodb:") for a in actions(s))
    )


def writes_in_transactions(cfn):
    return all(s.get("Condition") == deploy_rules.TRANSACTIONS for s in statements(cfn) if actions(s) & WRITES)


def secrets_of_this_stack(cfn):
    return all(
        all(str(r.get("Fn::Sub", "")).endswith(SECRETS) for r in listed(s["Resource"]))
        for s in statements(cfn)
        if "secretsmanager:GetSecretValue" in actions(s) and s["Sid"] != "Mint"
    )


def no_bare_star(cfn):
    stars = {s["Sid"] for s in statements(cfn) if "*" in listed(s["Resource"])}
    return stars == deploy_rules.STARS


def quiet_access_log(cfn):
    formats = [s["Properties"]["AccessLogSettings"]["Format"] for s in of_type(cfn, "AWS::ApiGatewayV2::Stage")]
    banned = ("querystring", "header", "authorizer", "$context.path", "$input", "$request")
    return bool(formats) and all(json.loads(f) and not any(b in f.lower() for b in banned) for f in formats)


def throttled(cfn):
    return all(
        s["Properties"]["DefaultRouteSettings"].get("ThrottlingRateLimit", 0) > 0
        for s in of_type(cfn, "AWS::ApiGatewayV2::Stage")
    )


def retained(cfn):
    t = table(cfn)
    return (t.get("DeletionPolicy"), t.get("UpdateReplacePolicy")) == ("Retain", "Retain")


def table_property(path, wanted):
    def rule(cfn):
        value = table(cfn)["Properties"]
        for step in path.split("."):
            value = value.get(step, {})
        return value == wanted

    return rule


def logs_expire(cfn):
    return all("RetentionInDays" in g["Properties"] for g in of_type(cfn, "AWS::Logs::LogGroup"))


def no_secret_in_plain_sight(cfn):
    """Neither an output nor the function's environment shows a secret; the beginning of their names may be shown."""
    outputs = {name: output for name, output in cfn["Outputs"].items() if name != "SecretsPrefix"}
    shown = json.dumps([outputs] + [f["Properties"]["Environment"] for f in of_type(cfn, "AWS::Lambda::Function")])
    return not any(word in shown.lower() for word in ("secret", "token", "password", "resolve:"))


def no_endpoint_override(cfn):
    return not any("AWS_ENDPOINT" in json.dumps(f) for f in of_type(cfn, "AWS::Lambda::Function"))


def statement(cfn, sid):
    (found,) = (s for s in statements(cfn) if s["Sid"] == sid)
    return found


def set_format(cfn, extra):
    settings = of_type(cfn, "AWS::ApiGatewayV2::Stage")[0]["Properties"]["AccessLogSettings"]
    settings["Format"] = settings["Format"].replace("}", f',"x":"{extra}"}}')


def function_variables(cfn):
    return of_type(cfn, "AWS::Lambda::Function")[0]["Properties"]["Environment"]["Variables"]


# Each rule with ways to break it.
RULES = {
    "IAM: the actions that the code uses, no star, no Scan": (
        only_known_actions,
        lambda c: statement(c, "Read")["Action"].append("dynamodb:Scan"),
        lambda c: statement(c, "TokenSecrets").update(Action="secretsmanager:*"),
        lambda c: statement(c, "Trace").update(Action="xray:PutTraceSegments"),
    ),
    "IAM: no managed policy": (
        no_managed_policies,
        lambda c: of_type(c, "AWS::IAM::Role")[0]["Properties"].update(ManagedPolicyArns=["arn:aws:iam::aws:policy/X"]),
    ),
    "IAM: the exact table": (
        exact_table,
        lambda c: statement(c, "Read").update(Resource="*"),
        lambda c: statement(c, "WriteInTransactionsOnly").update(Resource=[TABLE_ARN, "arn:aws:dynamodb:*:*:table/*"]),
    ),
    "IAM: writes only inside TransactWriteItems": (
        writes_in_transactions,
        lambda c: statement(c, "WriteInTransactionsOnly").pop("Condition"),
        lambda c: statement(c, "Read")["Action"].append("dynamodb:PutItem"),
    ),
    "IAM: only this stack's token secrets": (
        secrets_of_this_stack,
        lambda c: statement(c, "TokenSecrets").update(Resource={"Fn::Sub": "arn:aws:secretsmanager:eu-west-1:1:secret:scim/*"}),
        # Tokens that can be shown again are the operator's alone.
        lambda c: statement(c, "TokenSecrets").update(
            Resource=[statement(c, "TokenSecrets")["Resource"], {"Fn::Sub": "arn:secret:scim/${AWS::StackName}/kept/*"}]
        ),
    ),
    "IAM: no resource is a bare star, but where there are no resources": (
        no_bare_star,
        lambda c: statement(c, "Log").update(Resource="*"),
        lambda c: statement(c, "Shift")["Resource"].append("*"),
    ),
    "access log without path, query, header or token": (
        quiet_access_log,
        lambda c: set_format(c, "$context.authorizer.token"),
        lambda c: set_format(c, "$request.querystring.filter"),
        lambda c: of_type(c, "AWS::ApiGatewayV2::Stage")[0]["Properties"]["AccessLogSettings"].update(Format="{}"),
    ),
    "API throttled": (
        throttled,
        lambda c: of_type(c, "AWS::ApiGatewayV2::Stage")[0]["Properties"].update(DefaultRouteSettings={}),
    ),
    "table: retained": (
        retained,
        lambda c: table(c).pop("DeletionPolicy"),
        lambda c: table(c).update(UpdateReplacePolicy="Delete"),
    ),
    "table: deletion protection": (
        table_property("DeletionProtectionEnabled", True),
        lambda c: table(c)["Properties"].update(DeletionProtectionEnabled=False),
    ),
    "table: TTL on x": (
        table_property("TimeToLiveSpecification", {"AttributeName": "x", "Enabled": True}),
        lambda c: table(c)["Properties"].pop("TimeToLiveSpecification"),
        lambda c: table(c)["Properties"]["TimeToLiveSpecification"].update(AttributeName="ttl"),
    ),
    "table: point-in-time recovery": (
        table_property("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", True),
        lambda c: table(c)["Properties"].pop("PointInTimeRecoverySpecification"),
    ),
    "table: stream with both images": (
        table_property("StreamSpecification.StreamViewType", "NEW_AND_OLD_IMAGES"),
        lambda c: table(c)["Properties"]["StreamSpecification"].update(StreamViewType="KEYS_ONLY"),
    ),
    "table: billed on demand": (
        table_property("BillingMode", "PAY_PER_REQUEST"),
        lambda c: table(c)["Properties"].update(BillingMode="PROVISIONED"),
    ),
    "table: named as the stack, unless a parameter names it": (
        table_property("TableName", {"Fn::If": ["TableNamed", {"Ref": "TableName"}, {"Ref": "AWS::StackName"}]}),
        lambda c: table(c)["Properties"].pop("TableName"),
    ),
    "logs expire": (logs_expire, lambda c: of_type(c, "AWS::Logs::LogGroup")[0]["Properties"].pop("RetentionInDays")),
    "no secret in outputs or environment": (
        no_secret_in_plain_sight,
        lambda c: c["Outputs"].update(T={"Value": {"Fn::Sub": "{{resolve:secretsmanager:scim/x}}"}}),
        lambda c: function_variables(c).update(API_TOKEN="x"),
    ),
    "no endpoint override deployed": (
        no_endpoint_override,
        lambda c: function_variables(c).update(AWS_ENDPOINT_URL_DYNAMODB=""),
    ),
} | event_rules.RULES | deploy_rules.RULES | watch_rules.RULES


def main(template_path, cargo_path):
    with open(template_path, encoding="utf-8") as file:
        cfn = translate(yaml_parse(file.read()))
    broken = []
    for name, (rule, *breakers) in RULES.items():
        if not rule(cfn):
            broken.append(f"broken: {name}")
        for number, breaker in enumerate(breakers, 1):
            mutant = copy.deepcopy(cfn)
            breaker(mutant)
            if rule(mutant):
                broken.append(f"blind: {name} (mutant {number} not caught)")
    # cargo-lambda builds with panic=abort unless the profile says otherwise, and then one
    # malformed request that makes a library panic takes the whole sandbox down.
    with open(cargo_path, "rb") as file:
        cargo = tomllib.load(file)
    if cargo["profile"]["release"].get("panic") != "unwind":
        broken.append('broken: Cargo.toml: [profile.release] must say panic = "unwind"')
    # SAM cannot pass -p or --locked; without them features of the other packages leak in.
    build = cargo["package"].get("metadata", {}).get("lambda", {}).get("build", {})
    if build != {"packages": ["scim-lambda"], "locked": True}:
        broken.append('broken: Cargo.toml: [package.metadata.lambda.build] must be packages = ["scim-lambda"], locked = true')
    print("\n".join(broken) or f"template rules: {len(RULES) + 2} kept, {sum(len(r) - 1 for r in RULES.values())} mutants caught")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
