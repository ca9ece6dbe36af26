variable "region" {
  description = "Region of AWS."
  type        = string
  default     = "eu-central-1"
}

variable "name" {
  description = "Name of this installation."
  type        = string
  default     = "longshore"
}

variable "cidr" {
  description = "Addresses of the VPC, a /16 to /20."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(regex("/(1[6-9]|20)$", var.cidr)) && can(cidrhost(var.cidr, 0))
    error_message = "This is a network such as 10.40.0.0/16, from /16 to /20."
  }
}

variable "zone_id" {
  description = "The hosted zone of Route53 in which the domain names lie."
  type        = string
}

variable "domain_name" {
  description = "Host name of the console, such as longshore.example.org."
  type        = string
}

variable "bucket_domains" {
  description = "Host names of buckets, such as files.example.org."
  type        = set(string)
  default     = []
}

variable "image" {
  description = "The container image with its tag."
  type        = string
}

variable "image_repository_arn" {
  description = "The ECR repository of the image, when it lies in one."
  type        = string
  default     = null
}

variable "hook_secret" {
  description = "Secret of the bucket's event notifications; set it at the second apply."
  type        = string
  default     = null
  sensitive   = true
}

variable "alarm_emails" {
  description = "Addresses that alarms are sent to."
  type        = set(string)
  default     = []
}
