output "url" {
  description = "Address of the console and the API."
  value       = module.longshore.url
}

output "admin_password_secret" {
  description = "ARN of the secret that holds the first password of the user admin."
  value       = module.longshore.admin_password_secret
}

output "hook_url" {
  description = "Address that the bucket's events are sent to."
  value       = module.longshore.hook_url
}

output "s3_bucket" {
  description = "Name of the bucket on S3."
  value       = module.longshore.s3_bucket
}

output "s3_url" {
  description = "Address for S3 clients."
  value       = module.longshore.s3_url
}

output "s3_endpoint" {
  description = "Address of S3 itself, for the bucket in Longshore."
  value       = module.longshore.s3_endpoint
}

output "s3_region" {
  description = "Region of the bucket on S3."
  value       = module.longshore.s3_region
}

output "s3_access_key" {
  description = "Id of the access key for the bucket on S3."
  value       = module.longshore.s3_access_key
}

output "s3_access_key_secret" {
  description = "ARN of the secret that holds the secret of that access key."
  value       = module.longshore.s3_access_key_secret
}
