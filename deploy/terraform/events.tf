# What others put into the bucket is told to Longshore: S3 → SNS → /hooks/s3/<bucket>.

resource "aws_sns_topic" "events" {
  name_prefix       = "${var.name}-events-"
  kms_master_key_id = aws_kms_key.all.arn
  tags              = local.tags
}

data "aws_iam_policy_document" "events" {
  statement {
    sid       = "TheBucketAlone"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.events.arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_s3_bucket.files.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic_policy" "events" {
  arn    = aws_sns_topic.events.arn
  policy = data.aws_iam_policy_document.events.json
}

resource "aws_s3_bucket_notification" "files" {
  bucket = aws_s3_bucket.files.id

  topic {
    topic_arn = aws_sns_topic.events.arn
    events    = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
  }

  # S3 tries the topic before it accepts it.
  depends_on = [aws_sns_topic_policy.events]
}

# SNS can send no header of ours, so the secret is part of the address.
resource "aws_sns_topic_subscription" "events" {
  count = nonsensitive(var.hook_secret != null) ? 1 : 0

  topic_arn = aws_sns_topic.events.arn
  protocol  = "https"
  endpoint  = "${local.url}/hooks/s3/${var.bucket}?secret=${var.hook_secret}"

  # The hook answers the confirmation by itself.
  endpoint_auto_confirms          = true
  confirmation_timeout_in_minutes = 5

  # 20 attempts in an hour and a half; what is lost then, a reconcile finds.
  delivery_policy = jsonencode({
    healthyRetryPolicy = {
      numRetries         = 20
      numNoDelayRetries  = 1
      minDelayTarget     = 5
      maxDelayTarget     = 600
      numMinDelayRetries = 3
      numMaxDelayRetries = 5
      backoffFunction    = "exponential"
    }
  })

  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.undelivered.arn })

  depends_on = [aws_ecs_service.service, aws_route53_record.names, aws_sqs_queue_policy.undelivered]
}

# Events that could not be delivered, for two weeks.
resource "aws_sqs_queue" "undelivered" {
  name_prefix               = "${var.name}-undelivered-"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

data "aws_iam_policy_document" "undelivered" {
  statement {
    sid       = "TheTopicAlone"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.undelivered.arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.events.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id
  policy    = data.aws_iam_policy_document.undelivered.json
}
