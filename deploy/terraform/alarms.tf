# Alarms, all to one topic.

resource "aws_sns_topic" "alarms" {
  name_prefix       = "${var.name}-alarms-"
  kms_master_key_id = aws_kms_key.all.arn
  tags              = local.tags
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  gib = 1073741824

  # Whose figures they are.
  balancer = {
    namespace  = "AWS/ApplicationELB"
    dimensions = { LoadBalancer = aws_lb.balancer.arn_suffix }
  }
  target = {
    namespace  = "AWS/ApplicationELB"
    dimensions = { LoadBalancer = aws_lb.balancer.arn_suffix, TargetGroup = aws_lb_target_group.service.arn_suffix }
  }
  service = {
    namespace  = "AWS/ECS"
    dimensions = { ClusterName = aws_ecs_cluster.service.name, ServiceName = aws_ecs_service.service.name }
  }
  database = {
    namespace  = "AWS/RDS"
    dimensions = { DBInstanceIdentifier = aws_db_instance.database.identifier }
  }
  undelivered = {
    namespace  = "AWS/SQS"
    dimensions = { QueueName = aws_sqs_queue.undelivered.name }
  }

  # `minutes` is how many of them in a row must be bad, `silence` what no figures mean.
  alarms = {
    errors-of-the-balancer = {
      of        = local.balancer
      metric    = "HTTPCode_ELB_5XX_Count"
      statistic = "Sum"
      above     = 5
      minutes   = 5
      silence   = "notBreaching"
      text      = "The load balancer answers 5xx itself: there is no task, or one that does not answer."
    }

    errors-of-the-service = {
      of        = local.target
      metric    = "HTTPCode_Target_5XX_Count"
      statistic = "Sum"
      above     = 5
      minutes   = 5
      silence   = "notBreaching"
      text      = "Longshore answers 5xx; its log says why."
    }

    unhealthy-hosts = {
      of        = local.target
      metric    = "UnHealthyHostCount"
      statistic = "Maximum"
      above     = 0
      minutes   = 5
      silence   = "notBreaching"
      text      = "/healthz does not answer."
    }

    no-healthy-host = {
      of        = local.target
      metric    = "HealthyHostCount"
      statistic = "Minimum"
      below     = 1
      minutes   = 5
      silence   = "breaching"
      text      = "No task is healthy."
    }

    service-memory = {
      of        = local.service
      metric    = "MemoryUtilization"
      statistic = "Average"
      above     = 85
      minutes   = 10
      silence   = "notBreaching"
      text      = "The service uses 85 % of its memory; raise `memory`."
    }

    service-cpu = {
      of        = local.service
      metric    = "CPUUtilization"
      statistic = "Average"
      above     = 90
      minutes   = 15
      silence   = "notBreaching"
      text      = "The service uses 90 % of its CPU; raise `cpu`."
    }

    database-storage = {
      of        = local.database
      metric    = "FreeStorageSpace"
      statistic = "Minimum"
      below     = 2 * local.gib
      minutes   = 5
      silence   = "missing"
      text      = "The database has less than 2 GiB left; raise `database_storage.most`."
    }

    database-cpu = {
      of        = local.database
      metric    = "CPUUtilization"
      statistic = "Average"
      above     = 85
      minutes   = 15
      silence   = "missing"
      text      = "The database uses 85 % of its CPU; its slow statements are in its log."
    }

    database-memory = {
      of        = local.database
      metric    = "FreeableMemory"
      statistic = "Average"
      below     = local.gib / 8
      minutes   = 15
      silence   = "missing"
      text      = "The database has less than 128 MiB of memory left; choose a larger class."
    }

    events-undelivered = {
      of        = local.undelivered
      metric    = "ApproximateNumberOfMessagesVisible"
      statistic = "Maximum"
      above     = 0
      minutes   = 1
      silence   = "notBreaching"
      text      = "Event notifications were not delivered: they are in the queue, and reconciling finds what they told."
    }
  }

  # ElastiCache numbers the nodes of a group from 001.
  cache_alarms = {
    for number in range(1, var.cache_nodes + 1) : "cache-memory-${number}" => {
      of = {
        namespace  = "AWS/ElastiCache"
        dimensions = { CacheClusterId = format("%s-%03d", aws_elasticache_replication_group.cache.id, number) }
      }
      metric    = "DatabaseMemoryUsagePercentage"
      statistic = "Average"
      above     = 95
      minutes   = 15
      silence   = "missing"
      text      = "A node of the cache is full; it forgets what was used longest ago."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "alarms" {
  for_each = merge(local.alarms, local.cache_alarms)

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.of.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.of.dimensions
  statistic           = each.value.statistic
  comparison_operator = can(each.value.above) ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = try(each.value.above, each.value.below)
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.silence
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  tags                = local.tags
}
