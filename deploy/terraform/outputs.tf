# made from template.yaml by tests/wrappers.sh --write

output "base_url" {
  description = "The SCIM base URL for the identity provider"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "BaseUrl", null)
}

output "table_name" {
  description = "The DynamoDB table"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "TableName", null)
}

output "secrets_prefix" {
  description = "How the names of the stack's secrets begin"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "SecretsPrefix", null)
}

output "region" {
  description = "The stack's Region"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "Region", null)
}

output "account_id" {
  description = "The stack's account"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "AccountId", null)
}

output "retention_days" {
  description = "Days in which a soft-deleted user can be restored"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "RetentionDays", null)
}

output "audit_retention_days" {
  description = "Days for which the table keeps the record of each change"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "AuditRetentionDays", null)
}

output "kms_key_arn" {
  description = "The key of all that the stack keeps"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "KmsKeyArn", null)
}

output "function_name" {
  description = "The Lambda function"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "FunctionName", null)
}

output "function_log_group" {
  description = "The function's log"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "FunctionLogGroup", null)
}

output "access_log_group" {
  description = "The API's access log"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "AccessLogGroup", null)
}

output "function_role_arn" {
  description = "The function's role"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "FunctionRoleArn", null)
}

output "reader_policy_arn" {
  description = "The policy for reading with scimctl"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "ReaderPolicyArn", null)
}

output "operator_policy_arn" {
  description = "The policy for changing users and tenants, with ReaderPolicy"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "OperatorPolicyArn", null)
}

output "minter_policy_arn" {
  description = "The policy for keys of identity providers, with the other two"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "MinterPolicyArn", null)
}

output "table_stream_arn" {
  description = "The stream that the events are made from"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "TableStreamArn", null)
}

output "api_id" {
  description = "The API"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "ApiId", null)
}

output "domain_target" {
  description = "Where the record of your domain must point"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "DomainTarget", null)
}

output "event_bus_name" {
  description = "The event bus, for rules of the product"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "EventBusName", null)
}

output "event_bus_arn" {
  description = "The ARN of the event bus"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "EventBusArn", null)
}

output "event_pipe_name" {
  description = "The Pipe from the table's stream to the event bus"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "EventPipeName", null)
}

output "event_pipe_role_arn" {
  description = "The role of the Pipes"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "EventPipeRoleArn", null)
}

output "event_dead_letters_url" {
  description = "The queue of what did not reach the bus or EventUrl"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "EventDeadLettersUrl", null)
}

output "event_queue_url" {
  description = "The FIFO queue with all events"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "EventQueueUrl", null)
}

output "event_queue_arn" {
  description = "The ARN of the FIFO queue"
  value       = lookup(aws_cloudformation_stack.scim.outputs, "EventQueueArn", null)
}
