//! Buckets that clients write into the host's name instead of the path.

use crate::BucketName;
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Below it every name is this machine (RFC 6761), so it works without being set.
const LOCAL: &str = "localhost";

/// What stands before the service's own domain is a bucket: so `files.s3.example.com` is
/// the bucket `files` where the domain is `s3.example.com`. Of all other hosts nothing is
/// guessed: the bucket is in the path.
#[derive(Clone, Debug)]
pub(super) struct Hosts(pub(super) Option<String>);

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let domains = self.0.iter().map(String::as_str).chain([LOCAL]);
        let bucket = domains
            .filter_map(|domain| name.strip_suffix(domain)?.strip_suffix('.'))
            .find(|bucket| bucket.parse::<BucketName>().is_ok());
        Ok(match bucket {
            Some(bucket) => VirtualHost::new(host).with_bucket(bucket.to_owned()),
            None => VirtualHost::new(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_may_stand_before_the_domain() {
        let hosts = Hosts(Some("s3.example.com".to_owned()));
        for (host, bucket) in [
            ("files.localhost:8012", Some("files")),
            ("files.s3.example.com", Some("files")),
            ("my.files.S3.example.com.", Some("my.files")),
            ("s3.example.com", None),
            ("localhost", None),
            ("files.example.com", None),
            ("UPPER_.s3.example.com", None),
            ("[::1]:8012", None),
        ] {
            let parsed = hosts.parse_host_header(host).expect("a host");
            assert_eq!(parsed.bucket(), bucket, "{host}");
        }
    }
}
