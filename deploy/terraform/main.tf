# What all parts share. Each other file is one part: what it makes, and who may reach it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_subnet" "public" {
  count = length(var.public_subnet_ids)

  id = var.public_subnet_ids[count.index]
}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  url = "https://${var.domain_name}"

  # As deploy/Dockerfile has them.
  port      = 8011
  s3_port   = 8012
  user      = 10001
  directory = "/var/lib/longshore"

  tags = merge({ Application = "longshore", Installation = var.name }, var.tags)
}
