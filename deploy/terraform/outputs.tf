output "url" {
  description = "Address of the console and the API."
  value       = local.url
}

output "s3_url" {
  description = "Address for S3 clients, which put the bucket into the path."
  value       = "${local.url}:${local.s3_port}"
}

output "bucket_urls" {
  description = "Addresses on which buckets answer by themselves."
  value       = [for name in var.bucket_domains : "https://${name}"]
}

output "health_url" {
  description = "Address for a monitor; it needs no password."
  value       = "${local.url}/healthz"
}

output "hook_url" {
  description = "Address that the bucket's events are sent to, without its secret."
  value       = "${local.url}/hooks/s3/${var.bucket}"
}

output "admin_password_secret" {
  description = "ARN of the secret that holds the first password of the user admin."
  value       = aws_secretsmanager_secret.admin_password.arn
}

output "s3_bucket" {
  description = "Name of the bucket on S3."
  value       = aws_s3_bucket.files.bucket
}

output "s3_endpoint" {
  description = "Address of S3 itself, for the bucket in Longshore."
  value       = "https://s3.${local.region}.${data.aws_partition.current.dns_suffix}"
}

output "s3_region" {
  description = "Region of the bucket on S3."
  value       = local.region
}

output "s3_access_key" {
  description = "Id of the access key for the bucket on S3."
  value       = aws_iam_access_key.files.id
}

output "s3_access_key_secret" {
  description = "ARN of the secret that holds the secret of that access key."
  value       = aws_secretsmanager_secret_version.bucket_key.secret_id
}

output "cache_url" {
  description = "Address of the cache, within the VPC."
  value       = local.cache_url
}

output "database_endpoint" {
  description = "Host and port of the database, within the VPC."
  value       = aws_db_instance.database.endpoint
}

output "alarm_topic" {
  description = "ARN of the topic that alarms are sent to."
  value       = aws_sns_topic.alarms.arn
}

output "undelivered_events" {
  description = "Address of the queue of event notifications that could not be delivered."
  value       = aws_sqs_queue.undelivered.url
}

output "log_group" {
  description = "Where Longshore's log is."
  value       = aws_cloudwatch_log_group.service.name
}

output "service" {
  description = "Cluster and service of ECS, for `aws ecs`."
  value = {
    cluster = aws_ecs_cluster.service.name
    service = aws_ecs_service.service.name
  }
}

output "service_security_group" {
  description = "Security group of the service, to let it in elsewhere."
  value       = aws_security_group.service.id
}
