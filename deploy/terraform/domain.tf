# Names in Route53, and one certificate for all of them.

locals {
  names = setunion([var.domain_name], var.bucket_domains)
}

resource "aws_acm_certificate" "names" {
  domain_name               = var.domain_name
  subject_alternative_names = setsubtract(var.bucket_domains, [var.domain_name])
  validation_method         = "DNS"
  tags                      = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = {
    for option in aws_acm_certificate.names.domain_validation_options : option.domain_name => option
  }

  zone_id         = var.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "names" {
  certificate_arn         = aws_acm_certificate.names.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "names" {
  for_each = local.names

  zone_id = var.zone_id
  name    = each.value
  type    = "A"

  alias {
    name                   = aws_lb.balancer.dns_name
    zone_id                = aws_lb.balancer.zone_id
    evaluate_target_health = true
  }
}
