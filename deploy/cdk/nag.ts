// nag.ts RESOLVED...: the rules of cdk-nag on what template.yaml makes with a set of parameters
// (tests/template_sets.py writes it). Every finding must be one of those below, and each of these
// must be found in some set.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Stack, Validations } from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";

const ACCEPTED: Record<string, string> = {
  "AwsSolutions-APIG2": "the function validates requests, and answers in SCIM",
  "AwsSolutions-APIG6": "execution logs would hold paths and bodies, which are personal data",
  "AwsSolutions-IAM5": "tests/template_rules.py and tests/deploy_rules.py name every star",
  "AwsSolutions-SQS3": "the queue is the dead-letter queue of Pipes and bus",
  "Serverless-LambdaAsyncFailureDestination": "only the watch is asynchronous, and its alarm notices that it is missing",
  "Serverless-LambdaDLQ": "only the watch calls the function asynchronously, and the next one comes soon",
  "Serverless-LambdaStarPermissions": "X-Ray has no resources",
  "Serverless-LambdaTracing": "traces are a choice, because they cost",
  "Serverless-SQSRedrivePolicy": "a dead-letter queue has none itself",
};

interface Report {
  pluginReports: { violations: { ruleName: string; violatingConstructs: { constructPath: string }[] }[] }[];
}

const found = new Set<string>();
const faults: string[] = [];
for (const file of process.argv.slice(2)) {
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), "nag-")), analyticsReporting: false });
  const stack = new Stack(app, "scim");
  new CfnInclude(stack, "Template", { templateFile: file });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  try {
    app.synth();
  } catch {
    // It fails because there are findings.
  }
  const report = JSON.parse(readFileSync(join(app.outdir, "validation-report.json"), "utf8")) as Report;
  for (const { ruleName, violatingConstructs } of report.pluginReports.flatMap((plugin) => plugin.violations)) {
    const rule = ruleName.replace(/\[.*/s, "");
    if (!/^(AwsSolutions|Serverless)-/.test(rule)) continue; // CDK's own, which cfn-lint has as well
    found.add(rule);
    if (!(rule in ACCEPTED)) faults.push(`${file}: ${rule}: ${violatingConstructs.map((one) => one.constructPath).join(", ")}`);
  }
}
for (const rule of Object.keys(ACCEPTED)) if (!found.has(rule)) faults.push(`${rule} is accepted, but not found`);
console.log(faults.join("\n") || `cdk-nag: ${found.size} kinds of findings, all of them explained`);
// CDK sets the exit status for findings.
process.exitCode = faults.length === 0 ? 0 : 1;
