# ElastiCache: Valkey, for what replicas share. Correctness never depends on it.

locals {
  cache_url = "rediss://${aws_elasticache_replication_group.cache.primary_endpoint_address}:${aws_elasticache_replication_group.cache.port}"
}

resource "aws_elasticache_subnet_group" "cache" {
  name       = var.name
  subnet_ids = var.private_subnet_ids
  tags       = local.tags
}

resource "aws_elasticache_parameter_group" "cache" {
  name   = var.name
  family = "valkey8"
  tags   = local.tags

  # A full cache forgets what was used longest ago, and refuses nothing.
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "cache" {
  replication_group_id = var.name
  description          = "Cache of ${var.name}"
  engine               = "valkey"
  engine_version       = "8.0"
  node_type            = var.cache_node_type
  num_cache_clusters   = var.cache_nodes
  tags                 = local.tags

  automatic_failover_enabled = var.cache_nodes > 1
  multi_az_enabled           = var.cache_nodes > 1

  port                 = 6379
  subnet_group_name    = aws_elasticache_subnet_group.cache.name
  parameter_group_name = aws_elasticache_parameter_group.cache.name
  security_group_ids   = [aws_security_group.cache.id]

  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.all.arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
}
