# --- Names ----------------------------------------------------------------------

variable "name" {
  description = "Name of this installation; every resource begins with it."
  type        = string
  default     = "longshore"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "The name has 3 to 24 small letters, digits and single hyphens, and begins with a letter."
  }
}

variable "tags" {
  description = "Tags of everything that can have tags."
  type        = map(string)
  default     = {}
}

# --- Where it stands ------------------------------------------------------------

variable "vpc_id" {
  description = "The VPC in which everything stands."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "This is the id of a VPC, vpc-…."
  }
}

variable "public_subnet_ids" {
  description = "Subnets of the load balancer, in at least two availability zones."
  type        = list(string)

  validation {
    condition     = length(var.public_subnet_ids) >= 2
    error_message = "A load balancer needs subnets in two availability zones."
  }
}

variable "private_subnet_ids" {
  description = "Subnets of the service, its data directory, the database and the cache, in at least two availability zones. From there the internet must be reachable (NAT): Longshore fetches from addresses that its users give."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "The database needs subnets in two availability zones."
  }
}

variable "allowed_cidrs" {
  description = "Networks from which the load balancer may be reached. Event notifications of S3 come from public addresses of AWS."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "Each is a network such as 203.0.113.0/24, and there is at least one."
  }
}

# --- Its names on the internet --------------------------------------------------

variable "zone_id" {
  description = "The hosted zone of Route53 in which all domain names below lie."
  type        = string
}

variable "domain_name" {
  description = "Host name of the console and the API."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "This is a host name such as longshore.example.org, without https://."
  }
}

variable "bucket_domains" {
  description = "Further host names, on which buckets answer by themselves (`hosts` of a bucket)."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.bucket_domains : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", name))])
    error_message = "Each is a host name such as files.example.org, without https://."
  }
}

# --- The service ----------------------------------------------------------------

variable "image" {
  description = "The container image, built from deploy/Dockerfile, with a tag or a digest."
  type        = string

  validation {
    condition     = can(regex("(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "The image has a tag other than `latest`, or a digest: what runs must be told apart."
  }
}

variable "image_repository_arn" {
  description = "The ECR repository that the image lies in, which the service may then pull from. Without it the image must be public."
  type        = string
  default     = null

  validation {
    condition     = var.image_repository_arn == null || can(regex("^arn:[a-z-]+:ecr:", var.image_repository_arn))
    error_message = "This is the ARN of an ECR repository, arn:aws:ecr:…."
  }
}

variable "cpu" {
  description = "CPU of the service, in 1/1024 of one."
  type        = number
  default     = 1024

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate knows 256, 512, 1024, 2048, 4096, 8192 and 16384."
  }
}

variable "memory" {
  description = "Memory of the service, in MiB. Fargate wants two to eight times `cpu` (from 1024 up)."
  type        = number
  default     = 2048

  validation {
    condition     = var.memory >= 512 && var.memory <= 122880
    error_message = "Fargate has 512 to 122880 MiB."
  }
}

variable "architecture" {
  description = "Processor that the image was built for."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "Fargate knows X86_64 and ARM64."
  }
}

variable "idle_timeout" {
  description = "Seconds without a byte after which the load balancer ends a connection. Longshore sends something at least every 20 s on live sockets, and keeps its own connections 15 s longer than this."
  type        = number
  default     = 240

  validation {
    # Longshore's own limit, http.header_timeout, is five minutes.
    condition     = var.idle_timeout >= 60 && var.idle_timeout <= 285 && floor(var.idle_timeout) == var.idle_timeout
    error_message = "A whole number of seconds from 60 to 285."
  }
}

variable "log_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}

# --- The database ---------------------------------------------------------------

variable "database_instance_class" {
  description = "Size of the database."
  type        = string
  default     = "db.t4g.small"

  validation {
    condition     = startswith(var.database_instance_class, "db.")
    error_message = "This is a class of RDS, such as db.t4g.small."
  }
}

variable "database_version" {
  description = "Major version of Postgres. Longshore wants 15 or newer."
  type        = number
  default     = 17

  validation {
    condition     = var.database_version >= 15 && floor(var.database_version) == var.database_version
    error_message = "A major version from 15 up."
  }
}

variable "database_storage" {
  description = "Storage of the database in GiB: at first, and how far it may grow by itself."
  type = object({
    first = optional(number, 20)
    most  = optional(number, 200)
  })
  default = {}

  validation {
    condition     = var.database_storage.first >= 20 && var.database_storage.most > var.database_storage.first
    error_message = "It begins with at least 20 GiB, and may grow to more than that."
  }
}

variable "database_multi_az" {
  description = "Whether the database has a second machine in another availability zone."
  type        = bool
  default     = true
}

variable "database_backup_days" {
  description = "How long the backups of the database are kept, in days."
  type        = number
  default     = 14

  validation {
    condition     = var.database_backup_days >= 1 && var.database_backup_days <= 35
    error_message = "RDS keeps backups for 1 to 35 days."
  }
}

variable "database_ca_file" {
  description = "Where the image holds the certificates of RDS. With it the database must prove who it is (verify-full); without it the connection is encrypted only (require)."
  type        = string
  default     = null

  validation {
    condition     = var.database_ca_file == null || can(regex("^/[A-Za-z0-9._/-]+$", var.database_ca_file))
    error_message = "This is an absolute path inside the image."
  }
}

variable "password_version" {
  description = "Raise it to have the database's password made anew."
  type        = number
  default     = 1

  validation {
    condition     = var.password_version >= 1 && floor(var.password_version) == var.password_version
    error_message = "A whole number from 1 up."
  }
}

# --- The cache ------------------------------------------------------------------

variable "cache_node_type" {
  description = "Size of each node of the cache."
  type        = string
  default     = "cache.t4g.micro"

  validation {
    condition     = startswith(var.cache_node_type, "cache.")
    error_message = "This is a node type of ElastiCache, such as cache.t4g.micro."
  }
}

variable "cache_nodes" {
  description = "Nodes of the cache; from two on, another takes over when the first fails."
  type        = number
  default     = 2

  validation {
    condition     = var.cache_nodes >= 1 && var.cache_nodes <= 6 && floor(var.cache_nodes) == var.cache_nodes
    error_message = "One to six nodes."
  }
}

# --- The S3 bucket and its events -----------------------------------------------

variable "bucket" {
  description = "Name that Longshore has for the bucket on S3, made by hand once it runs (README.md): its events go to /hooks/s3/<bucket>."
  type        = string
  default     = "files"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name has 3 to 63 small letters, digits, hyphens and dots."
  }
}

variable "hook_secret" {
  description = "Secret of the bucket's event notifications, as Longshore knows it. Without it no events are sent: the bucket must exist in Longshore before AWS is told of its address."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.hook_secret == null || can(regex("^[A-Za-z0-9_-]{16,128}$", var.hook_secret))
    error_message = "16 to 128 letters, digits, hyphens and underscores, as it becomes part of an address."
  }
}

# --- Watching, and not losing ---------------------------------------------------

variable "alarm_emails" {
  description = "Addresses that alarms are sent to. Each must confirm the e-mail that AWS sends."
  type        = set(string)
  default     = []
}

variable "protected" {
  description = "Whether the database and the load balancer refuse to be destroyed."
  type        = bool
  default     = true
}
