# The stack of scim-lambda, from its packaged template, so that there is one description of it.
#
# The template must be in a bucket, because it is larger than what CloudFormation accepts directly:
#
#     sam build && sam package --resolve-s3 --output-template-file packaged.yaml
#     aws s3 cp packaged.yaml s3://BUCKET/scim.yaml

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "stack_name" {
  description = "Name of the stack, which begins the names of its secrets and logs"
  type        = string
  default     = "scim"
}

variable "template_url" {
  description = "URL of the packaged template in S3, such as https://BUCKET.s3.eu-west-1.amazonaws.com/scim.yaml"
  type        = string
}

variable "tags" {
  description = "Tags of the stack, which its resources inherit"
  type        = map(string)
  default     = {}
}

resource "aws_cloudformation_stack" "scim" {
  name         = var.stack_name
  template_url = var.template_url
  parameters   = local.parameters
  tags         = var.tags
  # SAM expands the template, and the stack has roles.
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]

  lifecycle {
    prevent_destroy = true
  }
}
