# Longshore itself, on Fargate.
#
# There is one task: contents lie in its data directory, which belongs to one process
# alone (it is locked). So a new task begins after the old one has ended; what runs for
# longer is resumed. See README.md, "One task".

locals {
  # Every setting of Longshore that this module gives, by the names of
  # docs/configuration.md. A test reads this map.
  settings = {
    LONGSHORE_LISTEN          = "0.0.0.0:${local.port}"
    LONGSHORE_S3_LISTEN       = "0.0.0.0:${local.s3_port}"
    LONGSHORE_DATA            = local.directory
    LONGSHORE_PUBLIC_URL      = local.url
    LONGSHORE_TRUSTED_PROXIES = join(",", data.aws_subnet.public[*].cidr_block)
    LONGSHORE_CACHE           = local.cache_url
    LONGSHORE_LOG_FORMAT      = "json"
    # Longer than the load balancer keeps a connection, or a request may be sent into one
    # that is just being closed.
    LONGSHORE_HTTP_HEADER_TIMEOUT = "${var.idle_timeout + 15}s"
    # Within Fargate's limit on stopping, below.
    LONGSHORE_SHUTDOWN_GRACE = "90s"
  }

  # The same for those that hold a secret: each by the ARN under which it is kept.
  secret_settings = {
    LONGSHORE_DATABASE       = aws_secretsmanager_secret_version.database_url.arn
    LONGSHORE_ADMIN_PASSWORD = aws_secretsmanager_secret_version.admin_password.arn
  }
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/longshore/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.all.arn
  tags              = local.tags
}

resource "aws_ecs_cluster" "service" {
  name = var.name
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "service" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  volume {
    name = "data"

    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.data.id
      transit_encryption = "ENABLED"

      authorization_config {
        access_point_id = aws_efs_access_point.data.id
        iam             = "ENABLED"
      }
    }
  }

  container_definitions = jsonencode([{
    name                   = "longshore"
    image                  = var.image
    essential              = true
    user                   = tostring(local.user)
    readonlyRootFilesystem = true
    stopTimeout            = 120

    portMappings = [for port in [local.port, local.s3_port] : { containerPort = port, protocol = "tcp" }]
    mountPoints  = [{ sourceVolume = "data", containerPath = local.directory, readOnly = false }]
    environment  = [for name, value in local.settings : { name = name, value = value }]
    secrets      = [for name, arn in local.secret_settings : { name = name, valueFrom = arn }]
    ulimits      = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]

    linuxParameters = {
      capabilities = { drop = ["ALL"] }
    }

    healthCheck = {
      command     = ["CMD", "curl", "--fail", "--silent", "--output", "/dev/null", "--max-time", "3", "http://127.0.0.1:${local.port}/healthz"]
      interval    = 15
      timeout     = 5
      retries     = 3
      startPeriod = 60
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.service.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "longshore"
      }
    }
  }])
}

resource "aws_ecs_service" "service" {
  name             = var.name
  cluster          = aws_ecs_cluster.service.id
  task_definition  = aws_ecs_task_definition.service.arn
  launch_type      = "FARGATE"
  platform_version = "1.4.0"
  propagate_tags   = "SERVICE"
  tags             = local.tags

  # One, and never a second one beside it.
  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  # A task reads its secrets when it begins.
  force_new_deployment = true
  triggers             = { password = var.password_version }

  # The first start makes the tables, and the lock of a task that died is let go by EFS.
  health_check_grace_period_seconds = 180

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.service.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.service.arn
    container_name   = "longshore"
    container_port   = local.port
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.s3.arn
    container_name   = "longshore"
    container_port   = local.s3_port
  }

  depends_on = [
    aws_efs_mount_target.data,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
    aws_lb_listener.https,
    aws_lb_listener.s3,
  ]
}
