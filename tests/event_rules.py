"""Rules for the part of template.yaml that carries the events; template_rules.py runs them.

Everything is named by its type, not by its logical id, so that a resource added later is held to
the same rules.
"""

import json

STREAM_ARN = {"Fn::If": ["TableMade", {"Fn::GetAtt": ["ScimTable", "StreamArn"]}, {"Ref": "ExistingTableStreamArn"}]}
FUNCTION_ARN = {"Ref": "ScimFunctionAliaslive"}  # the alias, so that a release is tried first
NO_VALUE = {"Ref": "AWS::NoValue"}
DAY = 24 * 60 * 60
FORTNIGHT = 14 * DAY
# Targets take at most ten events in one call, and a longer answer of the function skips the target.
MOST_RECORDS = 10
KINDS = ("AWS::Events::", "AWS::Pipes::", "AWS::SQS::")

# The role of the Pipes: each statement, and the only resource that it may name.
STREAM_ACTIONS = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
PIPE_RIGHTS = {
    "Stream": (STREAM_ACTIONS, STREAM_ARN),
    "Enrich": ({"lambda:InvokeFunction"}, FUNCTION_ARN),
    "Publish": ({"events:PutEvents"}, {"Fn::GetAtt": ["EventBus", "Arn"]}),
    "GiveUp": ({"sqs:SendMessage"}, {"Fn::GetAtt": ["EventDeadLetters", "Arn"]}),
    "LogErrors": ({"logs:CreateLogStream", "logs:PutLogEvents"}, {"Fn::GetAtt": ["EventLogs", "Arn"]}),
    "Queue": ({"sqs:SendMessage"}, {"Fn::GetAtt": ["OrderedEvents", "Arn"]}),
}
POST_RIGHTS = {"Post": ({"events:InvokeApiDestination"}, {"Fn::GetAtt": ["EventDestination", "Arn"]})}
FUNCTION_RIGHTS = {"Read", "WriteInTransactionsOnly", "TokenSecrets", "Log", "Key", "Trace"}
KEY_RIGHTS = {"kms:Decrypt", "kms:GenerateDataKey"}  # of the Pipes, for stream and queues; deploy_rules.py says how
ACTIONS = KEY_RIGHTS.union(*(allowed for allowed, _ in [*PIPE_RIGHTS.values(), *POST_RIGHTS.values()]))


def listed(value):
    return value if isinstance(value, list) else [value]


def unconditional(value):
    """A list without its conditions, as it is when all of them hold."""
    parts = (item["Fn::If"][1] if isinstance(item, dict) and "Fn::If" in item else item for item in listed(value))
    return [part for part in parts if part != NO_VALUE]


def of_type(cfn, kind):
    """The resources of a type, in the order of their names: SAM keeps no order."""
    return [r for _, r in sorted(cfn["Resources"].items()) if r["Type"] == kind]


def pipes(cfn):
    return [pipe["Properties"] for pipe in of_type(cfn, "AWS::Pipes::Pipe")]


def source(pipe):
    return pipe["SourceParameters"]["DynamoDBStreamParameters"]


def patterns(pipe):
    """The filter patterns of a Pipe, parsed."""
    return [json.loads(f["Pattern"]) for f in pipe["SourceParameters"]["FilterCriteria"]["Filters"]]


def role(cfn, name):
    (policy,) = cfn["Resources"][name]["Properties"]["Policies"]
    return {s["Sid"]: s for s in unconditional(policy["PolicyDocument"]["Statement"])}


def has_exactly(statements, rights):
    found = {sid: (set(listed(s["Action"])), s["Resource"]) for sid, s in statements.items()}
    return found == rights and all("Condition" not in s for s in statements.values())


# --- the rules: each is true of a good template ---------------------------------------------------


def pipes_have_least_rights(cfn):
    pipe = role(cfn, "EventPipeRole")
    key = pipe.pop("Key")
    return set(key["Action"]) == KEY_RIGHTS and has_exactly(pipe, PIPE_RIGHTS) and has_exactly(role(cfn, "EventDestinationRole"), POST_RIGHTS)


def roles_are_assumed_for_this_account(cfn):
    def trusts(name, service):
        (statement,) = cfn["Resources"][name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        account = statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceAccount")
        return statement["Principal"] == {"Service": service} and account == {"Ref": "AWS::AccountId"}

    return trusts("EventPipeRole", "pipes.amazonaws.com") and trusts("EventDestinationRole", "events.amazonaws.com")


def function_has_no_new_right(cfn):
    return set(role(cfn, "ScimRole")) == FUNCTION_RIGHTS


def records_reach_the_function_in_order(cfn):
    return len(pipes(cfn)) == 2 and all(
        (pipe["Source"], pipe["Enrichment"]) == (STREAM_ARN, FUNCTION_ARN)
        and source(pipe)["StartingPosition"] == "TRIM_HORIZON"
        and source(pipe)["ParallelizationFactor"] == 1
        and source(pipe)["BatchSize"] <= MOST_RECORDS
        for pipe in pipes(cfn)
    )


def nothing_is_given_up_early(cfn):
    """A Pipe tries until shortly before the stream drops the record, and leaves a dead letter."""
    return all(
        source(pipe)["MaximumRetryAttempts"] == -1
        and DAY - 2 * 60 * 60 <= source(pipe)["MaximumRecordAgeInSeconds"] < DAY
        and source(pipe)["OnPartialBatchItemFailure"] == "AUTOMATIC_BISECT"
        and source(pipe)["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["EventDeadLetters", "Arn"]}}
        for pipe in pipes(cfn)
    )


def same_filters(cfn):
    first, second = map(patterns, pipes(cfn))
    return first == second and 1 <= len(first) <= 5


def event_is_what_the_function_made(cfn):
    """The targets get the function's answer as it is, and their parameters from it."""
    wanted = [
        {"EventBridgeEventBusParameters": {"Source": "scim-lambda", "DetailType": "$.type"}},
        {"SqsQueueParameters": {"MessageGroupId": "$.subject.id", "MessageDeduplicationId": "$.id"}},
    ]
    return [pipe["TargetParameters"] for pipe in pipes(cfn)] == wanted and not any("EnrichmentParameters" in pipe for pipe in pipes(cfn))


def pipes_log_no_data(cfn):
    return all(
        pipe["LogConfiguration"]["Level"] == "ERROR" and "IncludeExecutionData" not in pipe["LogConfiguration"] for pipe in pipes(cfn)
    )


def only_the_pipe_publishes(cfn):
    (policy,) = of_type(cfn, "AWS::Events::EventBusPolicy")
    statement = policy["Properties"]["Statement"]
    pipe = {
        "ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["EventPipeRole", "Arn"]}},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    return (statement["Effect"], statement["Principal"], statement["Action"], statement["Condition"]) == (
        "Deny",
        "*",
        "events:PutEvents",
        pipe,
    )


def queues_are_encrypted_and_patient(cfn):
    queues = [queue["Properties"] for queue in of_type(cfn, "AWS::SQS::Queue")]
    unless_own_key = {"Fn::If": ["OwnKey", False, True]}
    return bool(queues) and all((q.get("SqsManagedSseEnabled"), q["MessageRetentionPeriod"]) == (unless_own_key, FORTNIGHT) for q in queues)


def watched(cfn, metric):
    """The resources behind the alarms on a metric, with those that a condition adds."""
    for alarm in of_type(cfn, "AWS::CloudWatch::Alarm"):
        for part in unconditional(alarm["Properties"].get("Metrics", [])):
            stat = part.get("MetricStat", {}).get("Metric", {})
            if stat.get("MetricName") == metric and alarm["Properties"]["Threshold"] == 1:
                value = stat["Dimensions"][0]["Value"]
                yield value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]


def failures_alarm(cfn):
    dead = {name for name, r in cfn["Resources"].items() if r["Type"] == "AWS::SQS::Queue" and "DeadLetters" in name}
    failing = {name for name, r in cfn["Resources"].items() if r["Type"] == "AWS::Pipes::Pipe"}
    return set(watched(cfn, "ApproximateNumberOfMessagesVisible")) == dead and set(watched(cfn, "ExecutionFailed")) == failing


def key_of_the_url_is_hidden(cfn):
    (connection,) = of_type(cfn, "AWS::Events::Connection")
    value = connection["Properties"]["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"]
    others = [r for r in cfn["Resources"].values() if r["Type"] != "AWS::Events::Connection"]
    return value == {"Fn::Sub": "{{resolve:secretsmanager:${EventApiKeySecret}}}"} and "EventApiKeySecret" not in json.dumps([cfn["Outputs"], others])


def rule_delivers_for_a_day(cfn):
    (rule,) = of_type(cfn, "AWS::Events::Rule")
    (target,) = rule["Properties"]["Targets"]
    day = {"MaximumEventAgeInSeconds": DAY, "MaximumRetryAttempts": 185}
    policy = cfn["Resources"]["EventDeadLetterPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = (s for s in policy["Statement"] if s["Effect"] == "Allow")
    rule_arn = {"Fn::If": ["Posted", {"Fn::GetAtt": ["EventDestinationRule", "Arn"]}, NO_VALUE]}
    own = {"ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": ["EventBus", "Arn"]}, rule_arn]}}
    return (target.get("InputPath"), target.get("RetryPolicy")) == ("$.detail", day) and "DeadLetterConfig" in target and statement["Condition"] == own


def holds(cfn, condition, parameters):
    """Whether a condition holds with these parameters."""
    ((function, values),) = condition.items()
    if function == "Condition":
        return holds(cfn, cfn["Conditions"][values], parameters)
    if function == "Fn::Equals":
        left, right = (parameters[v["Ref"]] if isinstance(v, dict) else v for v in values)
        return str(left) == str(right)
    results = [holds(cfn, value, parameters) for value in values]
    return {"Fn::Not": lambda: not results[0], "Fn::And": lambda: all(results)}[function]()


def made_with(cfn, **chosen):
    """The logical ids of the resources and outputs about events that these parameters make."""
    parameters = {name: p.get("Default", "") for name, p in cfn["Parameters"].items()} | chosen
    parts = {**cfn["Resources"], **cfn["Outputs"]}
    about = {
        name: part
        for name, part in parts.items()
        if part.get("Type", "").startswith(KINDS) or name.startswith(("Event", "OrderedEvent"))
    }
    return {
        name
        for name, part in about.items()
        if "Condition" not in part or holds(cfn, cfn["Conditions"][part["Condition"]], parameters)
    }


ALL = {"EventQueue": "yes", "EventUrl": "https://example.com", "EventArchiveDays": 7}


def off_is_off(cfn):
    off, on, everything = made_with(cfn, Events="off", **ALL), made_with(cfn), made_with(cfn, **ALL)
    optional = {"OrderedEvents", "OrderedEventPipe", "EventDestination", "EventConnection", "EventArchive"}
    return not off and "EventPipe" in on and not on & optional and optional < everything


# Each rule with ways to break it.
RULES = {
    "events: the least rights, on the exact resources": (
        pipes_have_least_rights,
        lambda c: role(c, "EventPipeRole")["Stream"]["Action"].append("dynamodb:GetItem"),
        lambda c: role(c, "EventPipeRole")["Publish"].update(Resource="*"),
        lambda c: role(c, "EventPipeRole")["Queue"].update(Action="sqs:*"),
        lambda c: role(c, "EventDestinationRole")["Post"].update(Action="events:PutEvents"),
    ),
    "events: roles only for this account": (
        roles_are_assumed_for_this_account,
        lambda c: c["Resources"]["EventPipeRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0].pop("Condition"),
    ),
    "events: no new right for the function": (
        function_has_no_new_right,
        lambda c: c["Resources"]["ScimRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(
            {"Sid": "Publish", "Action": "events:PutEvents", "Resource": "x"}
        ),
    ),
    "events: from the stream through the function, in order, at most ten": (
        records_reach_the_function_in_order,
        lambda c: source(pipes(c)[0]).update(BatchSize=11),
        lambda c: source(pipes(c)[1]).update(ParallelizationFactor=2),
        lambda c: source(pipes(c)[1]).update(StartingPosition="LATEST"),
        lambda c: pipes(c)[0].update(Enrichment={"Ref": "Other"}),
    ),
    "events: tried for nearly a day, then a dead letter": (
        nothing_is_given_up_early,
        lambda c: source(pipes(c)[0]).update(MaximumRetryAttempts=3),
        lambda c: source(pipes(c)[0]).update(MaximumRecordAgeInSeconds=DAY),
        lambda c: source(pipes(c)[1]).update(MaximumRecordAgeInSeconds=-1),
        lambda c: source(pipes(c)[1]).update(OnPartialBatchItemFailure=None),
        lambda c: source(pipes(c)[1]).update(DeadLetterConfig={}),
    ),
    "events: the same filters on both Pipes, at most five": (
        same_filters,
        lambda c: pipes(c)[1]["SourceParameters"]["FilterCriteria"]["Filters"].pop(),
    ),
    "events: sent as the function made them": (
        event_is_what_the_function_made,
        lambda c: pipes(c)[0]["TargetParameters"].update(InputTemplate="{}"),
        lambda c: pipes(c)[0]["TargetParameters"]["EventBridgeEventBusParameters"].update(DetailType="change"),
        lambda c: pipes(c)[1]["TargetParameters"]["SqsQueueParameters"].update(MessageGroupId="all"),
        lambda c: pipes(c)[1].update(EnrichmentParameters={"InputTemplate": "{}"}),
    ),
    "events: no data in the log of a Pipe": (
        pipes_log_no_data,
        lambda c: pipes(c)[0]["LogConfiguration"].update(IncludeExecutionData=["ALL"]),
        lambda c: pipes(c)[1]["LogConfiguration"].update(Level="TRACE"),
    ),
    "events: only the Pipe publishes": (
        only_the_pipe_publishes,
        lambda c: of_type(c, "AWS::Events::EventBusPolicy")[0]["Properties"]["Statement"].update(Effect="Allow"),
        lambda c: of_type(c, "AWS::Events::EventBusPolicy")[0]["Properties"]["Statement"]["Condition"]["ArnNotEquals"].update(
            {"aws:PrincipalArn": "*"}
        ),
    ),
    "events: queues encrypted, messages kept for 14 days": (
        queues_are_encrypted_and_patient,
        lambda c: of_type(c, "AWS::SQS::Queue")[0]["Properties"].pop("SqsManagedSseEnabled"),
        lambda c: of_type(c, "AWS::SQS::Queue")[1]["Properties"].update(MessageRetentionPeriod=DAY),
    ),
    "events: dead letters and failing Pipes are alarms": (
        failures_alarm,
        lambda c: c["Resources"].pop("EventDeadLetterAlarm"),
        lambda c: c["Resources"]["EventFailureAlarm"]["Properties"]["Metrics"].pop(),
        lambda c: c["Resources"]["EventDeadLetterAlarm"]["Properties"].update(Threshold=100),
    ),
    "events: the key of EventUrl is shown nowhere": (
        key_of_the_url_is_hidden,
        lambda c: c["Resources"]["EventConnection"]["Properties"]["AuthParameters"]["ApiKeyAuthParameters"].update(ApiKeyValue={"Ref": "EventUrl"}),
        lambda c: c["Outputs"].update(Key={"Value": {"Ref": "EventApiKeySecret"}}),
    ),
    "events: EventUrl is tried for a day": (
        rule_delivers_for_a_day,
        lambda c: of_type(c, "AWS::Events::Rule")[0]["Properties"]["Targets"][0].pop("RetryPolicy"),
        lambda c: of_type(c, "AWS::Events::Rule")[0]["Properties"]["Targets"][0].update(InputPath="$"),
        lambda c: of_type(c, "AWS::SQS::QueuePolicy")[0]["Properties"]["PolicyDocument"]["Statement"][0].update(Condition={}),
    ),
    "events: with Events=off nothing of it is left": (
        off_is_off,
        lambda c: c["Resources"]["EventBus"].pop("Condition"),
        lambda c: c["Resources"]["OrderedEvents"].update(Condition="Published"),
        lambda c: c["Conditions"].update(Queued={"Fn::Equals": [{"Ref": "EventQueue"}, "yes"]}),
        lambda c: c["Outputs"]["EventBusName"].pop("Condition"),
    ),
}
