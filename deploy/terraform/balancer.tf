# The load balancer: TLS ends here. It passes WebSockets on by itself, and bodies of any
# length as they come.

resource "aws_lb" "balancer" {
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.public_subnet_ids
  security_groups            = [aws_security_group.balancer.id]
  idle_timeout               = var.idle_timeout
  enable_http2               = true
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected
  tags                       = local.tags

  # Which bucket's domain is asked, and signed links, hang on the name that the client said.
  preserve_host_header = true
  # What a client writes into X-Forwarded-For itself stands before what the balancer adds,
  # and Longshore believes the last one only.
  xff_header_processing_mode = "append"
}

resource "aws_lb_target_group" "service" {
  name_prefix = "ls-"
  port        = local.port
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = var.vpc_id
  tags        = local.tags

  # Streams that run are given as long as Longshore gives them.
  deregistration_delay = 90

  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 4
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group" "s3" {
  name_prefix = "ls3-"
  port        = local.s3_port
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = var.vpc_id
  tags        = local.tags

  deregistration_delay = 90

  # S3 has no word for "are you well?": the console's port is asked.
  health_check {
    port                = local.port
    path                = "/healthz"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 4
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.balancer.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.names.certificate_arn
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.service.arn
  }
}

# The S3 protocol, on the same names and another port: a path there is a bucket, and here
# a route. Signatures cover the name and the port, which are passed on as they came.
resource "aws_lb_listener" "s3" {
  load_balancer_arn = aws_lb.balancer.arn
  port              = local.s3_port
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.names.certificate_arn
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.s3.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.balancer.arn
  port              = 80
  protocol          = "HTTP"
  tags              = local.tags

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
