"""change_set.py TEMPLATE STACK NAME=VALUE...: is the newest change set of a stack what it should be?

It has all parameters of the template, with their defaults or the values given here, and the
resources of the template, whose code is an object in a bucket.
"""

import sys
import urllib.parse

import boto3
from samcli.yamlhelper import yaml_parse


def faults(template, stack, chosen):
    cloudformation, s3 = boto3.client("cloudformation"), boto3.client("s3")
    summaries = cloudformation.list_change_sets(StackName=stack)["Summaries"]
    newest = max(summaries, key=lambda summary: summary["CreationTime"])
    change_set = cloudformation.describe_change_set(StackName=stack, ChangeSetName=newest["ChangeSetId"])
    found = {p["ParameterKey"]: p["ParameterValue"] for p in change_set["Parameters"]}
    wanted = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()} | chosen
    for name in wanted.keys() | found.keys():
        if found.get(name, wanted.get(name)) != wanted.get(name):
            yield f"{name} is {found.get(name)!r}, not {wanted.get(name)!r}"
    (managed,) = cloudformation.describe_stacks(StackName="aws-sam-cli-managed-default")["Stacks"]
    bucket = managed["Outputs"][0]["OutputValue"]
    uploaded = s3.list_objects_v2(Bucket=bucket)["Contents"]
    # Without samconfig.toml, names have no prefix.
    objects = [o for o in uploaded if o["Key"].startswith(f"{stack}/")] or uploaded
    sent = max((o for o in objects if o["Key"].endswith(".template")), key=lambda o: o["LastModified"])
    sent = yaml_parse(s3.get_object(Bucket=bucket, Key=sent["Key"])["Body"].read().decode())
    code = urllib.parse.urlparse(sent["Resources"]["ScimFunction"]["Properties"]["CodeUri"])
    if code.scheme != "s3":
        yield f"the code is at {code.geturl()}"
    elif not s3.head_object(Bucket=code.netloc, Key=code.path.strip("/"))["ContentLength"]:
        yield "the code is empty"
    if set(sent["Resources"]) != set(template["Resources"]):
        yield "the template has other resources"


def main(path, stack, *chosen):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    wrong = list(faults(template, stack, dict(pair.split("=", 1) for pair in chosen)))
    print("\n".join(f"change set of {stack}: {fault}" for fault in wrong) or f"change set of {stack}: as it should be")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
