"""Makes a stack in moto with the table and the outputs that scimctl reads."""

import json
import sys

import boto3

TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "TableName": "scim-moto-table",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in "ps"],
    },
}
OUTPUTS = {
    "BaseUrl": "https://scim.example.com/scim/v2",
    "TableName": {"Ref": "Table"},
    "SecretsPrefix": {"Fn::Sub": "scim/${AWS::StackName}"},
    "Region": {"Ref": "AWS::Region"},
    "AccountId": {"Ref": "AWS::AccountId"},
    "RetentionDays": "30",
    "AuditRetentionDays": "60",
}

template = {"Resources": {"Table": TABLE}, "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()}}
cloudformation = boto3.client("cloudformation", endpoint_url=sys.argv[1])
cloudformation.create_stack(StackName="scim-moto", TemplateBody=json.dumps(template))
