# made from template.yaml by tests/wrappers.sh --write

variable "table_name" {
  description = "Name of the table that the stack makes. If empty, the table has the stack's name. With another name later on, the stack makes another, empty table."
  type        = string
  default     = ""
  nullable    = false
}

variable "existing_table" {
  description = "Name of a table that exists, such as one that was restored from a backup. The stack then makes none."
  type        = string
  default     = ""
  nullable    = false
}

variable "existing_table_stream_arn" {
  description = "ARN of the stream of ExistingTable, with new and old images. Events need it."
  type        = string
  default     = ""
  nullable    = false
}

variable "retention_days" {
  description = "Days in which a soft-deleted user can be restored. DynamoDB removes the rows afterwards."
  type        = number
  default     = 90
  nullable    = false
}

variable "audit_retention_days" {
  description = "Days for which the table keeps the record of each change."
  type        = number
  default     = 365
  nullable    = false
}

variable "backup_days" {
  description = "Days for which AWS Backup keeps a daily backup of the table, in addition to point-in-time recovery. 0 makes none."
  type        = number
  default     = 0
  nullable    = false
}

variable "warm_write_units" {
  description = "Write units a second that the table is prepared for. DynamoDB prepares 4,000 free of charge, which is what 0 means; more costs once."
  type        = number
  default     = 0
  nullable    = false
}

variable "api_type" {
  description = "The kind of the API. REST costs three and a half times as much, and a firewall needs it."
  type        = string
  default     = "HTTP"
  nullable    = false

  validation {
    condition     = contains(["HTTP", "REST"], var.api_type)
    error_message = "api_type must be one of HTTP, REST"
  }
}

variable "domain_name" {
  description = "Your own domain for the API, such as scim.example.com."
  type        = string
  default     = ""
  nullable    = false
}

variable "certificate_arn" {
  description = "Certificate of DomainName, issued by Certificate Manager in the stack's Region."
  type        = string
  default     = ""
  nullable    = false
}

variable "hosted_zone_id" {
  description = "Hosted zone of Route 53 that gets a record for DomainName. If empty, make the record yourself, to the output DomainTarget."
  type        = string
  default     = ""
  nullable    = false
}

variable "truststore_uri" {
  description = "File of certificate authorities for mutual TLS. Clients then need a certificate that one of them has signed."
  type        = string
  default     = ""
  nullable    = false
}

variable "default_endpoint" {
  description = "Whether the API also answers at its address under execute-api."
  type        = string
  default     = "on"
  nullable    = false

  validation {
    condition     = contains(["on", "off"], var.default_endpoint)
    error_message = "default_endpoint must be one of on, off"
  }
}

variable "base_url" {
  description = "Base URL for tenants without their own. If empty, it follows from DomainName. Set it if the domain is not the stack's, such as https://scim.example.com/scim/v2."
  type        = string
  default     = ""
  nullable    = false
}

variable "web_acl_arn" {
  description = "Web ACL of AWS WAF in front of the API, with ApiType=REST."
  type        = string
  default     = ""
  nullable    = false
}

variable "architecture" {
  description = "The function's processor. CI builds and tests x86_64; arm64 costs a fifth less."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be one of arm64, x86_64"
  }
}

variable "reserved_concurrency" {
  description = "The most instances of the function at once, taken from the account's. 0 reserves none. 100 fits an account with the usual 1,000."
  type        = number
  default     = 0
  nullable    = false
}

variable "deployment_preference" {
  description = "How a release gets the requests. A canary gets a tenth of them first, and two alarms take it back."
  type        = string
  default     = "AllAtOnce"
  nullable    = false

  validation {
    condition     = contains(["AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes"], var.deployment_preference)
    error_message = "deployment_preference must be one of AllAtOnce, Canary10Percent5Minutes, Canary10Percent10Minutes, Canary10Percent15Minutes, Canary10Percent30Minutes"
  }
}

variable "tracing" {
  description = "Whether the function, and the API with ApiType=REST, send traces to X-Ray, which bills them."
  type        = string
  default     = "off"
  nullable    = false

  validation {
    condition     = contains(["on", "off"], var.tracing)
    error_message = "tracing must be one of on, off"
  }
}

variable "kms_key_arn" {
  description = "Your own key for table, secrets, environment, logs, queues, bus, archive and backups. deploy/kms-key-policy.json is its policy. If empty, AWS's keys are used."
  type        = string
  default     = ""
  nullable    = false
}

variable "permissions_boundary" {
  description = "Permissions boundary of all roles of the stack, if your account demands one."
  type        = string
  default     = ""
  nullable    = false
}

variable "minter_needs_mfa" {
  description = "Whether MinterPolicy, which allows to mint tokens, needs a session with MFA. Sessions of IAM Identity Center do not show theirs, so say no for them and demand MFA there."
  type        = string
  default     = "yes"
  nullable    = false

  validation {
    condition     = contains(["yes", "no"], var.minter_needs_mfa)
    error_message = "minter_needs_mfa must be one of yes, no"
  }
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the logs of the function, of the API and of the Pipes."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
  }
}

variable "detailed_metrics" {
  description = "Whether the API has metrics of each route as well, which CloudWatch bills as custom metrics."
  type        = string
  default     = "off"
  nullable    = false

  validation {
    condition     = contains(["on", "off"], var.detailed_metrics)
    error_message = "detailed_metrics must be one of on, off"
  }
}

variable "dashboard" {
  description = "A dashboard in CloudWatch. The first three of an account cost nothing, and each further one $3 a month."
  type        = string
  default     = "on"
  nullable    = false

  validation {
    condition     = contains(["on", "off"], var.dashboard)
    error_message = "dashboard must be one of on, off"
  }
}

variable "alarm_topic" {
  description = "SNS topic that is notified of alarms. If empty, alarms are in CloudWatch only."
  type        = string
  default     = ""
  nullable    = false
}

variable "events" {
  description = "Whether the stack has an event bus with an event for each change (docs/EVENTS.md)."
  type        = string
  default     = "on"
  nullable    = false

  validation {
    condition     = contains(["on", "off"], var.events)
    error_message = "events must be one of on, off"
  }
}

variable "event_body" {
  description = "What an event holds - full, or ids without personal data."
  type        = string
  default     = "full"
  nullable    = false

  validation {
    condition     = contains(["full", "ids"], var.event_body)
    error_message = "event_body must be one of full, ids"
  }
}

variable "event_epoch" {
  description = "Raise it by one when you restore the table from a backup, and resync all tenants."
  type        = number
  default     = 0
  nullable    = false
}

variable "event_queue" {
  description = "Whether the stack also has an SQS FIFO queue that receives all events, in order for each subject."
  type        = string
  default     = "no"
  nullable    = false

  validation {
    condition     = contains(["no", "yes"], var.event_queue)
    error_message = "event_queue must be one of no, yes"
  }
}

variable "event_url" {
  description = "URL to which all events of the bus are posted as well. It must answer within 5 seconds."
  type        = string
  default     = ""
  nullable    = false
}

variable "event_api_key_secret" {
  description = "Name or ARN of a secret in Secrets Manager. Its text is the header Authorization of the posts to EventUrl, such as Bearer and a token."
  type        = string
  default     = ""
  nullable    = false
}

variable "event_archive_days" {
  description = "Days for which all events of the bus are archived, for a replay. 0 archives none."
  type        = number
  default     = 0
  nullable    = false
}

locals {
  parameters = {
    TableName              = var.table_name
    ExistingTable          = var.existing_table
    ExistingTableStreamArn = var.existing_table_stream_arn
    RetentionDays          = tostring(var.retention_days)
    AuditRetentionDays     = tostring(var.audit_retention_days)
    BackupDays             = tostring(var.backup_days)
    WarmWriteUnits         = tostring(var.warm_write_units)
    ApiType                = var.api_type
    DomainName             = var.domain_name
    CertificateArn         = var.certificate_arn
    HostedZoneId           = var.hosted_zone_id
    TruststoreUri          = var.truststore_uri
    DefaultEndpoint        = var.default_endpoint
    BaseUrl                = var.base_url
    WebAclArn              = var.web_acl_arn
    Architecture           = var.architecture
    ReservedConcurrency    = tostring(var.reserved_concurrency)
    DeploymentPreference   = var.deployment_preference
    Tracing                = var.tracing
    KmsKeyArn              = var.kms_key_arn
    PermissionsBoundary    = var.permissions_boundary
    MinterNeedsMfa         = var.minter_needs_mfa
    LogRetentionDays       = tostring(var.log_retention_days)
    DetailedMetrics        = var.detailed_metrics
    Dashboard              = var.dashboard
    AlarmTopic             = var.alarm_topic
    Events                 = var.events
    EventBody              = var.event_body
    EventEpoch             = tostring(var.event_epoch)
    EventQueue             = var.event_queue
    EventUrl               = var.event_url
    EventApiKeySecret      = var.event_api_key_secret
    EventArchiveDays       = tostring(var.event_archive_days)
  }
}
