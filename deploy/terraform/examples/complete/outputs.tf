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
