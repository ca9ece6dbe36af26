# Longshore in a VPC of its own. `terraform apply -var zone_id=… -var domain_name=…`

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25.0"
    }
  }
}

provider "aws" {
  region = var.region
}

module "longshore" {
  source = "../.."

  name               = var.name
  vpc_id             = aws_vpc.own.id
  public_subnet_ids  = aws_subnet.public[*].id
  private_subnet_ids = aws_subnet.private[*].id

  zone_id        = var.zone_id
  domain_name    = var.domain_name
  bucket_domains = var.bucket_domains

  image                = var.image
  image_repository_arn = var.image_repository_arn
  hook_secret          = var.hook_secret
  alarm_emails         = var.alarm_emails

  # The way out must be there before the first task begins, and go after the last one.
  depends_on = [aws_route.out]
}
