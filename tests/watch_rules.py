"""Rules for what watches a deployment: the schedule, the alarms and the dashboard.

template_rules.py runs them on what SAM makes of template.yaml, with their mutants. That the code emits
the metrics that they name is held by tests/it/metrics.rs.
"""

import json
import pathlib
import re

from event_rules import of_type

ALIAS = {"Ref": "ScimFunctionAliaslive"}
NAMESPACE = {"Fn::Sub": "scim/${AWS::StackName}"}
# The alarms that an operator hears of, each with the metrics behind it.
ALARMS = {
    "ServerErrorAlarm": {"5xx"},
    "LatencyAlarm": {"Latency"},
    "ThrottleAlarm": {"Throttles", "ReadThrottleEvents", "WriteThrottleEvents"},
    "ConflictAlarm": {"conflicts"},
    "SecretsAlarm": {"SecretsFailed"},
    "BrakeAlarm": {"brakes_on", "BrakeTripped"},
    "SeatsAlarm": {"seats_full"},
    "TokenAlarm": {"tokens_ending"},
    "WatchAlarm": {"unseen"},
    "RefusalAlarm": set(),
    "EventUnshapedAlarm": {"EventUnshaped"},
    "EventDeadLetterAlarm": {"ApproximateNumberOfMessagesVisible"},
    "EventFailureAlarm": {"ExecutionFailed"},
    "ReleaseErrorAlarm": {"Errors"},
    "ReleaseServerErrorAlarm": {"5xx"},
}


def metrics(alarm):
    """The names of the metrics behind an alarm."""
    found = re.findall(r'"MetricName": ("\w+"|\{.*?\})', json.dumps(alarm["Properties"]))
    return {"5xx" if "5XXError" in name else name.strip('"') for name in found}


def alarms_are_these(cfn):
    alarms = {name: r for name, r in cfn["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    return {name: metrics(alarm) for name, alarm in alarms.items()} == ALARMS


def quiet_times_are_well(cfn):
    """Only the watch is never quiet: that it is not heard is an alarm."""
    alarms = {name: r["Properties"] for name, r in cfn["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    return all(a.get("TreatMissingData") == ("breaching" if name == "WatchAlarm" else "notBreaching") for name, a in alarms.items())


def a_silent_watch_is_an_alarm(cfn):
    """Each of the two windows has room for two watches."""
    watch = cfn["Resources"]["WatchAlarm"]["Properties"]
    return (watch["Period"], watch["EvaluationPeriods"], watch["Threshold"], watch["Namespace"]) == (1800, 2, 1, NAMESPACE)


def what_the_watch_finds_outlasts_a_gap(cfn):
    """Windows slide, so one of 15 minutes may lie between two watches."""
    alarms = [cfn["Resources"][name]["Properties"] for name in ("BrakeAlarm", "SeatsAlarm", "TokenAlarm")]
    return all((a["EvaluationPeriods"], a.get("DatapointsToAlarm")) == (3, 1) for a in alarms)


def few_requests_are_not_slow(cfn):
    """A percentile of a handful of requests is the slowest of them, such as one after a cold start."""
    total, slow, requests = cfn["Resources"]["LatencyAlarm"]["Properties"]["Metrics"]
    stats = [part["MetricStat"]["Stat"] for part in (slow, requests)]
    same = slow["MetricStat"]["Metric"] == requests["MetricStat"]["Metric"]
    return total["Expression"] == "IF(requests >= 20, slow, 0)" and stats == ["p90", "SampleCount"] and same


def a_failed_watch_is_not_repeated(cfn):
    """Scheduler calls asynchronously, and Lambda would try a failed call again."""
    (config,) = of_type(cfn, "AWS::Lambda::EventInvokeConfig")
    settings = config["Properties"]
    limits = (settings["MaximumRetryAttempts"], settings["MaximumEventAgeInSeconds"])
    return (settings["Qualifier"], config["DependsOn"], limits) == ("live", [ALIAS["Ref"]], (0, 600))


def the_watch_is_due(cfn):
    (schedule,) = of_type(cfn, "AWS::Scheduler::Schedule")
    target = schedule["Properties"]["Target"]
    (look,) = cfn["Resources"]["WatchRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return (
        (target["Arn"], look["Resource"]) == (ALIAS, ALIAS)
        and json.loads(target["Input"]) == {"scim": "watch"}
        and target["RoleArn"] == {"Fn::GetAtt": ["WatchRole", "Arn"]}
        and schedule["Properties"]["ScheduleExpression"] == "rate(15 minutes)"
    )


def a_brake_is_an_alarm_as_long_as_it_is_on(cfn):
    """The watch says every 15 minutes how many brakes are on, and a brake that trips says so at once."""
    brake = cfn["Resources"]["BrakeAlarm"]["Properties"]
    total, *parts = brake["Metrics"]
    return (
        brake["Threshold"] == 1
        and total["Expression"] == "FILL(on, 0) + FILL(tripped, 0)"
        and all(p["MetricStat"]["Period"] == 900 and p["MetricStat"]["Metric"]["Namespace"] == NAMESPACE for p in parts)
    )


def a_refused_tenant_is_an_alarm(cfn):
    (rule,) = of_type(cfn, "AWS::CloudWatch::InsightRule")
    body = json.loads(rule["Properties"]["RuleBody"]["Fn::Sub"])
    alarm = cfn["Resources"]["RefusalAlarm"]["Properties"]
    (worst,) = alarm["Metrics"]
    filters = [
        {"Match": "$.message", "In": ["request"]},
        {"Match": "$.method", "In": ["POST", "PUT", "PATCH", "DELETE"]},
        {"Match": "$.status", "GreaterThan": 399},
    ]
    return (
        body["Contribution"] == {"Keys": ["$.tenant"], "Filters": filters}
        and body["LogGroupNames"] == ["${FunctionLogs}"]
        and worst["Expression"]["Fn::Sub"] == "INSIGHT_RULE_METRIC('${Refusals.RuleName}', 'MaxContributorValue')"
        and (worst["Period"], alarm["Threshold"], alarm["EvaluationPeriods"]) == (3600, 100, 1)
    )


def every_alarm_has_its_runbook(cfn):
    manual = pathlib.Path("docs/OPERATIONS.md").read_text(encoding="utf-8")
    events = pathlib.Path("docs/EVENTS.md").read_text(encoding="utf-8")
    alarms = [name for name, r in cfn["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"]
    return all(f"#### {name}" in manual or (name.startswith("Event") and f"`{name}`" in events) for name in alarms)


def dashboard(cfn):
    (board,) = of_type(cfn, "AWS::CloudWatch::Dashboard")
    text, _ = board["Properties"]["DashboardBody"]["Fn::Sub"]
    return json.loads(text)


def the_dashboard_has_no_gaps(cfn):
    """Its widgets lie side by side, 24 columns wide, and each has a title."""
    places = {}
    for widget in dashboard(cfn)["widgets"]:
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                places.setdefault((x, y), []).append(widget["properties"]["title"])
    bottom = max(y for _, y in places) + 1
    return len(places) == 24 * bottom and all(len(titles) == 1 for titles in places.values())


def change_board(cfn, old, new):
    (board,) = of_type(cfn, "AWS::CloudWatch::Dashboard")
    sub = board["Properties"]["DashboardBody"]["Fn::Sub"]
    sub[0] = sub[0].replace(old, new, 1)


def change_rule(cfn, old, new):
    (rule,) = of_type(cfn, "AWS::CloudWatch::InsightRule")
    body = rule["Properties"]["RuleBody"]
    body["Fn::Sub"] = body["Fn::Sub"].replace(old, new)


RULES = {
    "watch: the alarms are these": (
        alarms_are_these,
        lambda c: c["Resources"].pop("SeatsAlarm"),
        lambda c: c["Resources"]["BrakeAlarm"]["Properties"]["Metrics"].pop(),
        lambda c: c["Resources"]["TokenAlarm"]["Properties"].update(MetricName="token_endings"),
    ),
    "watch: without requests no alarm is raised": (
        quiet_times_are_well,
        lambda c: c["Resources"]["LatencyAlarm"]["Properties"].pop("TreatMissingData"),
        lambda c: c["Resources"]["WatchAlarm"]["Properties"].update(TreatMissingData="notBreaching"),
    ),
    "watch: a silent watch is an alarm": (
        a_silent_watch_is_an_alarm,
        lambda c: c["Resources"]["WatchAlarm"]["Properties"].update(Period=900),
        lambda c: c["Resources"]["WatchAlarm"]["Properties"].update(EvaluationPeriods=1),
        lambda c: c["Resources"]["WatchAlarm"]["Properties"].update(Threshold=0),
    ),
    "watch: what the watch finds outlasts a gap": (
        what_the_watch_finds_outlasts_a_gap,
        lambda c: c["Resources"]["SeatsAlarm"]["Properties"].update(EvaluationPeriods=1),
        lambda c: c["Resources"]["TokenAlarm"]["Properties"].pop("DatapointsToAlarm"),
    ),
    "watch: a few requests are not slow": (
        few_requests_are_not_slow,
        lambda c: c["Resources"]["LatencyAlarm"]["Properties"]["Metrics"][0].update(Expression="slow"),
        lambda c: c["Resources"]["LatencyAlarm"]["Properties"]["Metrics"][1]["MetricStat"].update(Stat="p99"),
        lambda c: c["Resources"]["LatencyAlarm"]["Properties"]["Metrics"][2]["MetricStat"].update(Stat="Sum"),
    ),
    "watch: a watch that fails is not repeated": (
        a_failed_watch_is_not_repeated,
        lambda c: of_type(c, "AWS::Lambda::EventInvokeConfig")[0]["Properties"].update(MaximumRetryAttempts=2),
        lambda c: of_type(c, "AWS::Lambda::EventInvokeConfig")[0]["Properties"].update(Qualifier="$LATEST"),
    ),
    "watch: the schedule calls the alias": (
        the_watch_is_due,
        lambda c: c["Resources"]["WatchSchedule"]["Properties"]["Target"].update(Arn={"Fn::GetAtt": ["ScimFunction", "Arn"]}),
        lambda c: c["Resources"]["WatchSchedule"]["Properties"]["Target"].update(Input="{}"),
        lambda c: c["Resources"]["WatchRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0].update(Resource="*"),
    ),
    "watch: a brake is an alarm as long as it is on": (
        a_brake_is_an_alarm_as_long_as_it_is_on,
        lambda c: c["Resources"]["BrakeAlarm"]["Properties"]["Metrics"][0].update(Expression="FILL(tripped, 0)"),
        lambda c: c["Resources"]["BrakeAlarm"]["Properties"]["Metrics"][1]["MetricStat"].update(Period=60),
        lambda c: c["Resources"]["BrakeAlarm"]["Properties"].update(Threshold=2),
    ),
    "watch: a tenant that is refused often is an alarm": (
        a_refused_tenant_is_an_alarm,
        lambda c: change_rule(c, "$.tenant", "$.key"),
        lambda c: change_rule(c, "399", "499"),
        lambda c: change_rule(c, "request", "watch"),
        lambda c: change_rule(c, '"PUT",', ""),
        lambda c: c["Resources"]["RefusalAlarm"]["Properties"]["Metrics"][0].update(Period=300),
        lambda c: c["Resources"]["RefusalAlarm"]["Properties"].update(Threshold=1),
        lambda c: change_rule(c, "FunctionLogs", "AccessLogs"),
    ),
    "watch: every alarm has its runbook": (
        every_alarm_has_its_runbook,
        lambda c: c["Resources"].update(UnknownAlarm=c["Resources"]["SeatsAlarm"]),
    ),
    "watch: the dashboard has no gaps": (
        the_dashboard_has_no_gaps,
        lambda c: change_board(c, '"x":12', '"x":11'),
        lambda c: change_board(c, '"height":6', '"height":5'),
    ),
}
