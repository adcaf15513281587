// Deploys the packaged template of scim-lambda as a stack of a CDK app, or shows how to include it
// in yours. The template is that of `sam package`, whose code is in a bucket:
//
//     SCIM_TEMPLATE=packaged.yaml npx cdk deploy --app 'node app.ts'
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, DefaultStackSynthesizer, Stack, type StackProps } from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import type { Construct } from "constructs";
import type { Parameters } from "./parameters.ts";

export interface ScimProps extends StackProps {
  /** The packaged template, as a file. */
  readonly template: string;
  /** Values of the template's parameters, which become their defaults. */
  readonly parameters?: Parameters;
}

/** The stack of template.yaml. */
export class Scim extends Stack {
  readonly template: CfnInclude;

  constructor(scope: Construct, id: string, { template, parameters = {}, ...props }: ScimProps) {
    super(scope, id, {
      // Otherwise CDK adds a parameter and a rule to the template.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
      analyticsReporting: false,
      ...props,
    });
    this.template = new CfnInclude(this, "Template", {
      templateFile: readable(template),
      // The function names a role and alarms that name the function. SAM makes other resources of
      // these, so CloudFormation finds no circle.
      allowCyclicalReferences: true,
    });
    for (const [name, value] of Object.entries(parameters)) {
      this.template.getParameter(name).default = value;
    }
  }
}

/** A copy of the template that CDK can read: it knows no `Ref` to what SAM makes of a resource, such
 *  as `ScimFunction.Alias`, but passes the same name on in `Fn::Sub`. */
function readable(template: string): string {
  const text = readFileSync(template, "utf8")
    .replaceAll(/!Ref (\w+\.\w+)/g, "!Sub '${$1}'")
    .replaceAll(/"Ref": ?"(\w+\.\w+)"/g, '"Fn::Sub": "${$1}"')
    .replaceAll(/^([\s-]*)Ref: (\w+\.\w+)$/gm, "$1Fn::Sub: '${$2}'");
  const copy = join(mkdtempSync(join(tmpdir(), "scim-")), template.endsWith(".json") ? "template.json" : "template.yaml");
  writeFileSync(copy, text);
  return copy;
}

if (import.meta.main) {
  const app = new App();
  new Scim(app, process.env.SCIM_STACK ?? "scim", {
    template: process.env.SCIM_TEMPLATE ?? "packaged.yaml",
    parameters: {},
  });
  app.synth();
}
