// made from template.yaml by tests/wrappers.sh --write

/** The parameters of the template; docs/DEPLOY.md explains them. */
export interface Parameters {
  /** Name of the table that the stack makes. If empty, the table has the stack's name. With another name later on, the stack makes another, empty table. */
  TableName?: string;
  /** Name of a table that exists, such as one that was restored from a backup. The stack then makes none. */
  ExistingTable?: string;
  /** ARN of the stream of ExistingTable, with new and old images. Events need it. */
  ExistingTableStreamArn?: string;
  /** Days in which a soft-deleted user can be restored. DynamoDB removes the rows afterwards. */
  RetentionDays?: number;
  /** Days for which the table keeps the record of each change. */
  AuditRetentionDays?: number;
  /** Days for which AWS Backup keeps a daily backup of the table, in addition to point-in-time recovery. 0 makes none. */
  BackupDays?: number;
  /** Write units a second that the table is prepared for. DynamoDB prepares 4,000 free of charge, which is what 0 means; more costs once. */
  WarmWriteUnits?: number;
  /** The kind of the API. REST costs three and a half times as much, and a firewall needs it. */
  ApiType?: "HTTP" | "REST";
  /** Your own domain for the API, such as scim.example.com. */
  DomainName?: string;
  /** Certificate of DomainName, issued by Certificate Manager in the stack's Region. */
  CertificateArn?: string;
  /** Hosted zone of Route 53 that gets a record for DomainName. If empty, make the record yourself, to the output DomainTarget. */
  HostedZoneId?: string;
  /** File of certificate authorities for mutual TLS. Clients then need a certificate that one of them has signed. */
  TruststoreUri?: string;
  /** Whether the API also answers at its address under execute-api. */
  DefaultEndpoint?: "on" | "off";
  /** Base URL for tenants without their own. If empty, it follows from DomainName. Set it if the domain is not the stack's, such as https://scim.example.com/scim/v2. */
  BaseUrl?: string;
  /** Web ACL of AWS WAF in front of the API, with ApiType=REST. */
  WebAclArn?: string;
  /** The function's processor. CI builds and tests x86_64; arm64 costs a fifth less. */
  Architecture?: "arm64" | "x86_64";
  /** The most instances of the function at once, taken from the account's. 0 reserves none. 100 fits an account with the usual 1,000. */
  ReservedConcurrency?: number;
  /** How a release gets the requests. A canary gets a tenth of them first, and two alarms take it back. */
  DeploymentPreference?: "AllAtOnce" | "Canary10Percent5Minutes" | "Canary10Percent10Minutes" | "Canary10Percent15Minutes" | "Canary10Percent30Minutes";
  /** Whether the function, and the API with ApiType=REST, send traces to X-Ray, which bills them. */
  Tracing?: "on" | "off";
  /** Your own key for table, secrets, environment, logs, queues, bus, archive and backups. deploy/kms-key-policy.json is its policy. If empty, AWS's keys are used. */
  KmsKeyArn?: string;
  /** Permissions boundary of all roles of the stack, if your account demands one. */
  PermissionsBoundary?: string;
  /** Whether MinterPolicy, which allows to mint tokens, needs a session with MFA. Sessions of IAM Identity Center do not show theirs, so say no for them and demand MFA there. */
  MinterNeedsMfa?: "yes" | "no";
  /** Days for which CloudWatch keeps the logs of the function, of the API and of the Pipes. */
  LogRetentionDays?: 1 | 3 | 5 | 7 | 14 | 30 | 60 | 90 | 120 | 150 | 180 | 365 | 400 | 545 | 731 | 1096 | 1827 | 2192 | 2557 | 2922 | 3288 | 3653;
  /** Whether the API has metrics of each route as well, which CloudWatch bills as custom metrics. */
  DetailedMetrics?: "on" | "off";
  /** A dashboard in CloudWatch. The first three of an account cost nothing, and each further one $3 a month. */
  Dashboard?: "on" | "off";
  /** SNS topic that is notified of alarms. If empty, alarms are in CloudWatch only. */
  AlarmTopic?: string;
  /** Whether the stack has an event bus with an event for each change (docs/EVENTS.md). */
  Events?: "on" | "off";
  /** What an event holds - full, or ids without personal data. */
  EventBody?: "full" | "ids";
  /** Raise it by one when you restore the table from a backup, and resync all tenants. */
  EventEpoch?: number;
  /** Whether the stack also has an SQS FIFO queue that receives all events, in order for each subject. */
  EventQueue?: "no" | "yes";
  /** URL to which all events of the bus are posted as well. It must answer within 5 seconds. */
  EventUrl?: string;
  /** Name or ARN of a secret in Secrets Manager. Its text is the header Authorization of the posts to EventUrl, such as Bearer and a token. */
  EventApiKeySecret?: string;
  /** Days for which all events of the bus are archived, for a replay. 0 archives none. */
  EventArchiveDays?: number;
}
