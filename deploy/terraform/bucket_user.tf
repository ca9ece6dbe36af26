# Who Longshore is in the bucket. A bucket of Longshore has an access key and its secret,
# and signs what it asks with them, so this is a user and no role of the task.

resource "aws_iam_user" "files" {
  name = "${var.name}-files"
  tags = local.tags
}

data "aws_iam_policy_document" "bucket_user" {
  statement {
    sid       = "Bucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.files.arn]
  }

  # A copy takes the tags along that others gave an object: for that S3 asks for both rights.
  statement {
    sid = "Objects"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
      "s3:PutObjectTagging",
    ]
    resources = ["${aws_s3_bucket.files.arn}/*"]
  }

  statement {
    sid       = "EncryptObjects"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.all.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_user_policy" "files" {
  name   = "files"
  user   = aws_iam_user.files.name
  policy = data.aws_iam_policy_document.bucket_user.json
}

resource "aws_iam_access_key" "files" {
  user = aws_iam_user.files.name
}

resource "aws_secretsmanager_secret" "bucket_key" {
  name_prefix = "${var.name}-bucket-key-"
  description = "Secret of the access key with which ${var.name} reaches its bucket on S3"
  kms_key_id  = aws_kms_key.all.arn
  tags        = local.tags
}

# The access key is in the state as it is, so nothing is gained by hiding it here.
resource "aws_secretsmanager_secret_version" "bucket_key" {
  secret_id     = aws_secretsmanager_secret.bucket_key.id
  secret_string = aws_iam_access_key.files.secret
}
