"""Keeps deploy/terraform and deploy/cdk like template.yaml.

    wrappers.py write TEMPLATE           writes the files that are made from the template
    wrappers.py check TEMPLATE HCL       compares them, and the module as an HCL parser reads it
    wrappers.py package TEMPLATE OUT     the template as `sam package` would write it
    wrappers.py synthesized TEMPLATE CDK compares what CDK made with the template
"""

import copy
import json
import pathlib
import re
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

MADE = "made from template.yaml by tests/wrappers.sh --write"


def load(path):
    return json.loads(json.dumps(yaml_parse(pathlib.Path(path).read_text(encoding="utf-8"))))


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def is_number(parameter):
    return parameter["Type"] == "Number"


# --- Terraform ------------------------------------------------------------------------------------


def terraform_parameters(template):
    for name, parameter in template["Parameters"].items():
        value = parameter["Default"] if is_number(parameter) else json.dumps(str(parameter["Default"]))
        yield f'variable "{snake(name)}" {{'
        yield f"  description = {json.dumps(parameter['Description'])}"
        yield f"  type        = {'number' if is_number(parameter) else 'string'}"
        yield f"  default     = {value}"
        yield "  nullable    = false"
        if "AllowedValues" in parameter:
            values = json.dumps(parameter["AllowedValues"])
            yield "\n  validation {"
            yield f"    condition     = contains({values}, var.{snake(name)})"
            yield f'    error_message = "{snake(name)} must be one of {", ".join(map(str, parameter["AllowedValues"]))}"'
            yield "  }"
        yield "}\n"
    width = max(map(len, template["Parameters"]))
    yield "locals {\n  parameters = {"
    for name, parameter in template["Parameters"].items():
        value = f"tostring(var.{snake(name)})" if is_number(parameter) else f"var.{snake(name)}"
        yield f"    {name.ljust(width)} = {value}"
    yield "  }\n}"


def terraform_outputs(template):
    for name, output in template["Outputs"].items():
        yield f'output "{snake(name)}" {{'
        yield f"  description = {json.dumps(output['Description'])}"
        yield f'  value       = lookup(aws_cloudformation_stack.scim.outputs, "{name}", null)'
        yield "}\n"


def cdk_parameters(template):
    yield "/** The parameters of the template; docs/DEPLOY.md explains them. */\nexport interface Parameters {"
    for name, parameter in template["Parameters"].items():
        values = " | ".join(json.dumps(value) for value in parameter.get("AllowedValues", []))
        yield f"  /** {parameter['Description']} */"
        yield f"  {name}?: {values or ('number' if is_number(parameter) else 'string')};"
    yield "}"


FILES = {
    "deploy/terraform/parameters.tf": ("# ", terraform_parameters),
    "deploy/terraform/outputs.tf": ("# ", terraform_outputs),
    "deploy/cdk/parameters.ts": ("// ", cdk_parameters),
}


def render(comment, lines, template):
    return f"{comment}{MADE}\n\n" + "\n".join(lines(template)).rstrip("\n") + "\n"


def write(template):
    for path, (comment, lines) in FILES.items():
        pathlib.Path(path).write_text(render(comment, lines, template), encoding="utf-8")


def unquoted(value):
    """What the parser says of a name or a text: it keeps the quotes."""
    return json.loads(value) if isinstance(value, str) and value.startswith('"') else value


def named(module, kind):
    """The blocks of a kind by their names."""
    return {unquoted(name): body for block in module.get(kind, []) for name, body in block.items() if name != "__is_block__"}


def check(template, module):
    for path, (comment, lines) in FILES.items():
        if pathlib.Path(path).read_text(encoding="utf-8") != render(comment, lines, template):
            yield f"{path} is not {MADE}"
    own = {"stack_name", "template_url", "tags"}
    variables, parameters = named(module, "variable"), template["Parameters"]
    wanted = {snake(name): parameter for name, parameter in parameters.items()}
    for name in (variables.keys() - own) ^ wanted.keys():
        yield f"{name} is either no variable or no parameter"
    for name in variables.keys() & wanted.keys():
        default, kind = unquoted(variables[name]["default"]), variables[name]["type"]
        if (default, kind.strip("${}")) != (wanted[name]["Default"], "number" if is_number(wanted[name]) else "string"):
            yield f"{name} is of type {kind} with the default {default!r}"
    if named(module, "output").keys() != {snake(name) for name in template["Outputs"]}:
        yield "the outputs differ"
    passed = {unquoted(name) for local in module["locals"] for name in local["parameters"] if name != "__is_block__"}
    if passed != parameters.keys():
        yield f"not passed to the stack: {passed ^ parameters.keys()}"


# --- CDK ------------------------------------------------------------------------------------------


def package(template):
    packaged = copy.deepcopy(template)
    packaged["Resources"]["ScimFunction"]["Properties"]["CodeUri"] = "s3://bucket/scim/code"
    return packaged


def plain(node):
    """A template in one spelling: lists in `Fn::GetAtt`, and `Fn::Sub` for what SAM makes of a resource."""
    if isinstance(node, list):
        return [plain(part) for part in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Fn::GetAtt"} and isinstance(node["Fn::GetAtt"], str):
        return {"Fn::GetAtt": node["Fn::GetAtt"].split(".", 1)}
    if set(node) == {"Ref"} and "." in node["Ref"]:
        return {"Fn::Sub": "${%s}" % node["Ref"]}
    return {key: plain(value) for key, value in node.items()}


def differences(template, made):
    wanted, found = plain(package(template)), plain(made)
    for section in wanted.keys() | found.keys():
        left, right = wanted.get(section), found.get(section)
        if not isinstance(left, dict) or not isinstance(right, dict):
            if left != right:
                yield f"{section}: {right!r}, not {left!r}"
            continue
        for name in sorted(left.keys() | right.keys()):
            if left.get(name) != right.get(name):
                yield f"{section}.{name} differs"


def synthesized(template, made):
    yield from differences(template, made)
    # A comparison that never finds anything would be useless.
    for break_it in (
        lambda c: c["Resources"].pop("EventBus"),
        lambda c: c["Resources"]["ScimTable"]["Properties"].update(BillingMode="PROVISIONED"),
        lambda c: c["Outputs"]["BaseUrl"].update(Value="x"),
        lambda c: c["Rules"].pop("OneTable"),
        lambda c: c["Parameters"]["ApiType"].update(Default="REST"),
        lambda c: c["Conditions"].pop("Rest"),
    ):
        broken = copy.deepcopy(made)
        break_it(broken)
        if not list(differences(template, broken)):
            yield "blind: a difference is not found"


def main(command, template_path, *paths):
    template = load(template_path)
    if command == "write":
        return write(template)
    if command == "package":
        return pathlib.Path(paths[0]).write_text(yaml_dump(package(template)), encoding="utf-8") and None
    other = json.loads(pathlib.Path(paths[0]).read_text(encoding="utf-8"))
    found = list({"check": check, "synthesized": synthesized}[command](template, other))
    says = {"check": "Terraform module: every parameter is a variable, and the reverse", "synthesized": "CDK: makes the same stack"}
    print("\n".join(found) or says[command])
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
