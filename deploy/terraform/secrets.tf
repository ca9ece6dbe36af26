# Passwords, made here and kept in Secrets Manager. They pass through Terraform as
# ephemeral values and write-only arguments, so neither plan nor state holds them.

ephemeral "random_password" "database" {
  length = 40
  # It becomes part of an address.
  special = false
}

ephemeral "random_password" "admin" {
  length  = 24
  special = false
}

resource "aws_secretsmanager_secret" "database_password" {
  name_prefix = "${var.name}-database-password-"
  description = "Password of the database of ${var.name}"
  kms_key_id  = aws_kms_key.all.arn
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "database_password" {
  secret_id                = aws_secretsmanager_secret.database_password.id
  secret_string_wo         = ephemeral.random_password.database.result
  secret_string_wo_version = var.password_version
}

# Read back, not used as it was made: so database and address get the password that is
# kept, also when an apply broke off between them and is done again.
ephemeral "aws_secretsmanager_secret_version" "database_password" {
  secret_id = aws_secretsmanager_secret_version.database_password.secret_id
}

resource "aws_secretsmanager_secret" "database_url" {
  name_prefix = "${var.name}-database-url-"
  description = "LONGSHORE_DATABASE of ${var.name}"
  kms_key_id  = aws_kms_key.all.arn
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "database_url" {
  secret_id = aws_secretsmanager_secret.database_url.id
  secret_string_wo = format(
    "postgres://%s:%s@%s/%s?%s",
    aws_db_instance.database.username,
    ephemeral.aws_secretsmanager_secret_version.database_password.secret_string,
    aws_db_instance.database.endpoint,
    aws_db_instance.database.db_name,
    local.database_tls,
  )
  secret_string_wo_version = var.password_version
}

resource "aws_secretsmanager_secret" "admin_password" {
  name_prefix = "${var.name}-admin-password-"
  description = "Password with which ${var.name} makes its user admin at the first start"
  kms_key_id  = aws_kms_key.all.arn
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "admin_password" {
  secret_id                = aws_secretsmanager_secret.admin_password.id
  secret_string_wo         = ephemeral.random_password.admin.result
  secret_string_wo_version = 1
}
