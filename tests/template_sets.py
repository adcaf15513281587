"""Sets of parameters of template.yaml, and what each of them makes of it.

    template_sets.py TEMPLATE DOCUMENT POLICY FOLDER

checks that the template's rules accept these sets and refuse contradictions, that the document names
all parameters, and that the policy of a key, with STACK for the stack, has the template's logs. It
writes into the folder what SAM makes of each set, and what CloudFormation then makes of that.
"""

import copy
import json
import pathlib
import re
import sys

from event_rules import NO_VALUE, of_type

ACCOUNT = "123456789012"
ARN = f"arn:aws:{{}}:eu-west-1:{ACCOUNT}:{{}}"
# Sets of parameters that are translated, resolved and linted, each the whole of a deployment.
SECURE = {
    "KmsKeyArn": ARN.format("kms", "key/1c1d5d8e-0000-4000-8000-000000000000"),
    "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "AlarmTopic": ARN.format("sns", "alarms"),
    "DomainName": "scim.example.com",
    "CertificateArn": ARN.format("acm", "certificate/1c1d5d8e-0000-4000-8000-000000000000"),
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    "TruststoreUri": "s3://truststore/authorities.pem",
    "DefaultEndpoint": "off",
    "ReservedConcurrency": "100",
    "Tracing": "on",
    "DetailedMetrics": "on",
    "DeploymentPreference": "Canary10Percent5Minutes",
    "BackupDays": "35",
    "WarmWriteUnits": "8000",
    "EventQueue": "yes",
    "EventUrl": "https://product.example.com/events",
    "EventApiKeySecret": "product/events",
    "EventArchiveDays": "30",
}
WAF = ARN.format("wafv2", "regional/webacl/scim/1c1d5d8e-0000-4000-8000-000000000000")
STREAM = ARN.format("dynamodb", "table/restored/stream/2026-11-30T00:00:00.000")
SETS = {
    "default": {},
    "production": SECURE,
    "rest": SECURE | {"ApiType": "REST", "WebAclArn": WAF, "TableName": "directory"},
    "rest-small": {"ApiType": "REST", "Events": "off", "MinterNeedsMfa": "no"},
    "existing": {"ExistingTable": "restored", "ExistingTableStreamArn": STREAM, "EventEpoch": "1"},
    "existing-quiet": {"ExistingTable": "restored", "Events": "off", "Architecture": "x86_64"},
}
# What each rule of the template refuses.
REFUSED = {
    "OneTable": {"ExistingTable": "restored", "ExistingTableStreamArn": STREAM, "TableName": "directory"},
    "ExistingTableHasStream": {"ExistingTable": "restored"},
    "StreamIsOfExistingTable": {"ExistingTableStreamArn": STREAM},
    "DomainHasCertificate": {"DomainName": "scim.example.com"},
    "DomainIsNamed": {"HostedZoneId": "Z0123456789ABCDEFGHIJ"},
    "MutualTlsIsTheOnlyWay": SECURE | {"DefaultEndpoint": "on"},
    "ApiHasAnAddress": {"DefaultEndpoint": "off"},
    "FirewallNeedsRest": {"WebAclArn": WAF},
    "EventUrlIsComplete": {"EventUrl": "https://product.example.com/events"},
    "EventsAreOn": {"Events": "off", "EventQueue": "yes"},
}


# --- what a set of parameters makes of a template -------------------------------------------------


def defaults(template):
    return {name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()}


def evaluate(condition, values, conditions):
    """A condition of the template, or of one of its rules."""
    ((function, operands),) = condition.items()
    if function == "Condition":
        return evaluate(conditions[operands], values, conditions)
    if function == "Fn::Equals":
        left, right = (values[v["Ref"]] if isinstance(v, dict) else v for v in operands)
        return str(left) == str(right)
    results = [evaluate(operand, values, conditions) for operand in operands]
    return {"Fn::Not": lambda: not results[0], "Fn::And": lambda: all(results), "Fn::Or": lambda: any(results)}[function]()


def refusals(template, chosen):
    """The rules of the template that refuse these parameters."""
    values = defaults(template) | chosen
    return {
        name
        for name, rule in template["Rules"].items()
        if evaluate(rule["RuleCondition"], values, {}) and not all(evaluate(a["Assert"], values, {}) for a in rule["Assertions"])
    }


def unlike(template, chosen):
    """Values that CloudFormation would not accept for their parameters."""
    for name, value in chosen.items():
        parameter = template["Parameters"][name]
        if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], value):
            yield f"{name}={value} does not match its pattern"
        if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
            yield f"{name}={value} is not one of its values"


def resolved(cfn, chosen):
    """The translated template without parameters and conditions, as CloudFormation would carry it out."""
    values = defaults(cfn) | chosen
    holds = {name: evaluate(condition, values, cfn["Conditions"]) for name, condition in cfn["Conditions"].items()}

    def walk(node):
        if isinstance(node, list):
            return [part for part in map(walk, node) if part != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if set(node) == {"Fn::If"}:
            name, then, otherwise = node["Fn::If"]
            return walk(then if holds[name] else otherwise)
        if set(node) == {"Ref"} and node["Ref"] in values:
            return number(values[node["Ref"]])
        if set(node) == {"Fn::Sub"} and isinstance(node["Fn::Sub"], str):
            return filled(node["Fn::Sub"], values)
        walked = {key: walk(value) for key, value in node.items()}
        if set(node) == {"Fn::Split"} and isinstance(walked["Fn::Split"][1], str):
            return walked["Fn::Split"][1].split(walked["Fn::Split"][0])
        if set(node) == {"Fn::Select"} and isinstance(walked["Fn::Select"][1], list):
            return walked["Fn::Select"][1][walked["Fn::Select"][0]]
        if set(node) == {"Fn::Sub"}:
            text, names = walked["Fn::Sub"]
            plain = {name: str(value) for name, value in names.items() if not isinstance(value, dict)}
            rest = {name: value for name, value in names.items() if name not in plain}
            inner = filled(text, values | plain)
            return {"Fn::Sub": [inner["Fn::Sub"], rest]} if rest else inner
        return {key: value for key, value in walked.items() if value != NO_VALUE}

    def made(parts):
        chosen_parts = {name: part for name, part in parts.items() if holds.get(part.get("Condition"), True)}
        return {name: walk({k: v for k, v in part.items() if k != "Condition"}) for name, part in chosen_parts.items()}

    return {
        "AWSTemplateFormatVersion": cfn["AWSTemplateFormatVersion"],
        "Resources": made(cfn["Resources"]),
        "Outputs": made(cfn["Outputs"]),
    }


def filled(text, values):
    """A text of `Fn::Sub` with the values that are known."""
    text = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], m[0]), text)
    return {"Fn::Sub": text} if "${" in text else text


def number(text):
    return int(text) if text.isdecimal() else text


def undocumented(template, document, policy):
    """Parameters that the document lacks, and logs that the key's policy does not let use the key."""
    for name in template["Parameters"]:
        if f"`{name}`" not in document:
            yield f"the document does not name {name}"
    (logs,) = (s for s in policy["Statement"] if s["Sid"] == "Logs")
    named = {arn.rsplit(":", 1)[1] for arn in logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]}
    groups = {g["Properties"]["LogGroupName"].get("Fn::Sub").replace("${AWS::StackName}", "STACK") for g in of_type(template, "AWS::Logs::LogGroup")}
    if named != groups:
        yield f"the key's policy and the template have other logs: {named ^ groups}"


def main(template_path, document_path, policy_path, folder):
    from samcli.yamlhelper import yaml_parse
    from template_rules import translate

    template = yaml_parse(pathlib.Path(template_path).read_text(encoding="utf-8"))
    policy = json.loads(pathlib.Path(policy_path).read_text(encoding="utf-8"))
    wrong = list(undocumented(template, pathlib.Path(document_path).read_text(encoding="utf-8"), policy))
    for name, chosen in SETS.items():
        wrong += [f"set {name}: {fault}" for fault in unlike(template, chosen)]
        wrong += [f"set {name}: refused by {rule}" for rule in refusals(template, chosen)]
        cfn = translate(template, chosen)
        for kind, made in (("translated", cfn), ("resolved", resolved(cfn, chosen))):
            pathlib.Path(folder, f"{name}.{kind}.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
        if name == "default":
            wrong += [f"set default: {part} is made" for part, r in cfn["Resources"].items() if r["Type"].startswith("AWS::CodeDeploy::")]
    wrong += [f"rule {name} has no case in REFUSED" for name in set(template["Rules"]) ^ set(REFUSED)]
    for name, chosen in REFUSED.items():
        if refusals(template, chosen) != {name}:
            wrong.append(f"rule {name}: its case is refused by {refusals(template, chosen) or 'nothing'}")
        broken = copy.deepcopy(template)
        broken["Rules"].pop(name, None)
        if refusals(broken, chosen):
            wrong.append(f"rule {name}: blind, another rule refuses its case")
    print("\n".join(wrong) or f"template sets: {len(SETS)} sets of parameters accepted, {len(REFUSED)} contradictions refused")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
