"""Requests that no client makes: each must get its refusal, and leave nothing behind."""

import base64
import datetime
import hashlib
import hmac
import http.client
import os
import socket
import sys
import urllib.parse
import zlib

ENDPOINT = urllib.parse.urlsplit(os.environ["ENDPOINT"])
KEY, SECRET = os.environ["KEY"], os.environ["SECRET"]
HOST = ENDPOINT.netloc
EMPTY = hashlib.sha256(b"").hexdigest()


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def signing_key(date, region="us-east-1", service="s3"):
    key = ("AWS4" + SECRET).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def send(method, path, headers, body=b"", query="", host=None, target=None, cut=False):
    connection = http.client.HTTPConnection(ENDPOINT.hostname, ENDPOINT.port, timeout=20)
    target = (target or urllib.parse.quote(path, safe="/-_.~")) + (f"?{query}" if query else "")
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("host", host or HOST)
    for name, value in headers:
        connection.putheader(name, value)
    if not any(name in ("content-length", "transfer-encoding") for name, _ in headers):
        connection.putheader("content-length", str(len(body)))
    connection.endheaders()
    connection.send(body)
    if cut:
        connection.sock.shutdown(socket.SHUT_WR)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.getheader("x-amz-request-id"), "every answer has its id"
    connection.close()
    return answer.status, text


def signed(
    method,
    path,
    body=b"",
    headers=(),
    unsigned=(),
    query=(),
    at=None,
    claim=None,
    service="s3",
    unsigned_headers=(),
    drop_host=False,
    **sent,
):
    """A request signed by hand; every argument beyond the third is a way to do it wrongly or oddly."""
    now = at or datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    sha = claim or hashlib.sha256(body).hexdigest()
    all_headers = [("x-amz-date", stamp), ("x-amz-content-sha256", sha), *headers]
    to_sign = dict(all_headers)
    if not drop_host:
        to_sign["host"] = HOST
    names = sorted(name for name in to_sign if name not in unsigned_headers)
    pairs = sorted((quote(name), quote(value)) for name, value in query)
    canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
    canonical = "\n".join(
        [
            method,
            urllib.parse.quote(path, safe="/-_.~"),
            canonical_query,
            *[f"{name}:{to_sign[name]}" for name in names],
            "",
            ";".join(names),
            sha,
        ]
    )
    scope = f"{stamp[:8]}/us-east-1/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    seal = hmac.new(signing_key(stamp[:8], service=service), text.encode(), hashlib.sha256).hexdigest()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={';'.join(names)}, Signature={seal}"
    )
    return send(
        method,
        path,
        [("authorization", authorization), *all_headers, *unsigned],
        body,
        canonical_query,
        **sent,
    )


def presigned(method, path, at, expires, body=b""):
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    query = "&".join(
        f"{name}={quote(value)}"
        for name, value in [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", f"{KEY}/{scope}"),
            ("X-Amz-Date", stamp),
            ("X-Amz-Expires", str(expires)),
            ("X-Amz-SignedHeaders", "host"),
        ]
    )
    target = urllib.parse.quote(path, safe="/-_.~")
    canonical = "\n".join([method, target, query, f"host:{HOST}", "", "host", "UNSIGNED-PAYLOAD"])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    seal = hmac.new(signing_key(stamp[:8]), text.encode(), hashlib.sha256).hexdigest()
    return send(method, path, [], body, f"{query}&X-Amz-Signature={seal}")


def refused(status, code, answer):
    assert answer[0] == status and f"<Code>{code}</Code>".encode() in answer[1], (status, code, answer)
    message = answer[1].partition(b"<Message>")[2].partition(b"</Message>")[0]
    assert message, f"it says what to do: {answer}"


def there(path):
    return signed("GET", path)[0] == 200


def a_request_signed_by_hand_is_taken():
    assert signed("PUT", "/files/hand made+.txt", b"x")[0] == 200
    assert signed("GET", "/files/hand made+.txt") == (200, b"x")
    assert signed("GET", "/files", query=[("list-type", "2"), ("prefix", "hand made+")])[0] == 200


def headers_that_are_not_signed_are_refused():
    for name, value in [
        ("x-amz-meta-added", "x"),
        ("x-amz-copy-source", "/files/hand made+.txt"),
        ("x-amz-acl", "private"),
        ("X-Amz-Tagging", "a=1"),
    ]:
        answer = signed("PUT", "/files/unsigned.txt", b"x", unsigned=[(name, value)])
        refused(403, "AccessDenied", answer)
        assert b"not signed" in answer[1]
    refused(403, "AccessDenied", signed("PUT", "/files/unsigned.txt", b"x", unsigned_headers=("x-amz-date",)))
    refused(403, "AccessDenied", signed("PUT", "/files/unsigned.txt", b"x", drop_host=True))
    assert not there("/files/unsigned.txt")


def a_clock_that_is_wrong_is_told():
    now = datetime.datetime.now(datetime.timezone.utc)
    for minutes in (-16, 16, -60 * 24):
        at = now + datetime.timedelta(minutes=minutes)
        refused(403, "RequestTimeTooSkewed", signed("PUT", "/files/skewed.txt", b"x", at=at))
    assert signed("PUT", "/files/in time.txt", b"x", at=now - datetime.timedelta(minutes=14))[0] == 200
    assert not there("/files/skewed.txt")


def a_presigned_address_is_good_for_its_time():
    now = datetime.datetime.now(datetime.timezone.utc)
    ago = now - datetime.timedelta(minutes=2)
    assert presigned("PUT", "/files/given away+.txt", now, 60, b"x")[0] == 200
    assert presigned("GET", "/files/given away+.txt", ago, 180) == (200, b"x")
    answer = presigned("GET", "/files/given away+.txt", ago, 60)
    refused(403, "AccessDenied", answer)
    assert b"expired" in answer[1]
    answer = presigned("PUT", "/files/late.txt", ago, 60, b"x")
    refused(403, "AccessDenied", answer)
    assert b"expired" in answer[1]
    assert not there("/files/late.txt")
    refused(403, "RequestTimeTooSkewed", presigned("GET", "/files/x", now + datetime.timedelta(minutes=16), 60))
    refused(400, "AuthorizationQueryParametersError", presigned("GET", "/files/x", now, 604801))


def a_content_that_was_changed_is_not_stored():
    claim = hashlib.sha256(b"what was meant").hexdigest()
    refused(400, "XAmzContentSHA256Mismatch", signed("PUT", "/files/changed.txt", b"what came", claim=claim))
    refused(403, "SignatureDoesNotMatch", signed("PUT", "/files/changed.txt", b"x", claim="nonsense"))
    assert not there("/files/changed.txt")


def signatures_of_other_kinds_are_refused():
    refused(400, "AuthorizationHeaderMalformed", signed("GET", "/files/x", service="sts"))
    refused(400, "InvalidRequest", send("GET", "/files/x", [("authorization", f"AWS {KEY}:AAAA")]))
    refused(400, "InvalidArgument", send("GET", "/files/x", [("authorization", "Bearer lsh_x")]))
    basic = base64.b64encode(b"admin:x").decode()
    refused(400, "InvalidArgument", send("GET", "/files/x", [("authorization", f"Basic {basic}")]))
    query = f"AWSAccessKeyId={KEY}&Expires=9999999999&Signature=AAAA"
    refused(403, "SignatureDoesNotMatch", send("GET", "/files/x", [], query=query))
    refused(403, "AccessDenied", send("GET", "/files/x", [], query=query + "&attributes"))
    form = [("content-type", "multipart/form-data; boundary=b")]
    refused(501, "NotImplemented", send("POST", "/files", form, b"--b--\r\n"))


def chunked(body, trailer=None, wrong=False, length=None):
    """A body in the coding of AWS, unsigned, with a checksum behind it."""
    sum = base64.b64encode(zlib.crc32(body + (b"x" if wrong else b"")).to_bytes(4, "big")).decode()
    lines = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n"
    if trailer is None:
        lines += f"x-amz-checksum-crc32:{sum}\r\n".encode()
    else:
        lines += trailer
    lines += b"\r\n"
    headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", str(len(body) if length is None else length)),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ]
    return lines, headers


def chunks_and_their_trailers_are_verified():
    claim = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    body, headers = chunked(b"in pieces")
    assert signed("PUT", "/files/chunked.txt", body, headers, claim=claim)[0] == 200
    assert signed("GET", "/files/chunked.txt") == (200, b"in pieces")
    body, headers = chunked(b"in pieces", wrong=True)
    refused(400, "BadDigest", signed("PUT", "/files/wrong.txt", body, headers, claim=claim))
    body, headers = chunked(b"in pieces", trailer=b"")
    refused(400, "InvalidRequest", signed("PUT", "/files/wrong.txt", body, headers, claim=claim))
    for length in (3, 30):
        body, headers = chunked(b"in pieces", length=length)
        refused(400, "IncompleteBody", signed("PUT", "/files/wrong.txt", body, headers, claim=claim))
    body, headers = chunked(b"in pieces")
    refused(400, "IncompleteBody", signed("PUT", "/files/wrong.txt", body[:12], headers, claim=claim))
    refused(400, "IncompleteBody", signed("PUT", "/files/wrong.txt", b"zz\r\nxx\r\n", headers, claim=claim))
    assert not there("/files/wrong.txt")


def conditions_that_no_client_sends_hold_too():
    path, tag = "/files/chunked.txt", f'"{hashlib.md5(b"in pieces").hexdigest()}"'

    def copied(source, *headers):
        source = urllib.parse.quote(source)
        return signed("PUT", path, headers=[("x-amz-copy-source", source), *headers])

    for condition in [("if-none-match", "*"), ("if-none-match", tag), ("if-match", '"x"')]:
        refused(412, "PreconditionFailed", copied("/files/hand made+.txt", condition))
    null = [("versionId", "null")]
    refused(412, "PreconditionFailed", signed("DELETE", path, query=null, headers=[("if-match", '"x"')]))
    for condition in [
        ("x-amz-if-match-size", "9"),
        ("x-amz-if-match-last-modified-time", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ]:
        refused(501, "NotImplemented", signed("DELETE", path, headers=[condition]))
    assert signed("GET", path) == (200, b"in pieces")
    # Where they are fulfilled, it is done.
    replacing = ("x-amz-metadata-directive", "REPLACE")
    assert copied(path, ("if-match", tag), replacing)[0] == 200
    assert signed("GET", path) == (200, b"in pieces")


def addresses_that_name_nothing_are_refused():
    refused(400, "InvalidBucketName", signed("GET", "/Not_A_Bucket/x"))
    refused(404, "NoSuchBucket", signed("GET", "/no-such-bucket/x"))
    refused(404, "NoSuchBucket", signed("PUT", "/no-such-bucket/x", b"x"))
    refused(400, "InvalidArgument", signed("PUT", "/files/a/../b", b"x"))
    for path, code in [
        ("/files/nul\0", "InvalidArgument"),
        (b"/files/\xff", "InvalidURI"),
        ("/files/" + "a" * 2000, "KeyTooLongError"),
    ]:
        for method, body in (("GET", b""), ("PUT", b"x")):
            refused(400, code, signed(method, path, body))
    # A slash is one, however it is written: what is signed is the path.
    for target in ("/files/a%2F..%2Fb", "/files/a%2f%2e%2e%2fb"):
        for method, body in (("GET", b""), ("PUT", b"x")):
            refused(400, "InvalidArgument", signed(method, "/files/a/../b", body, target=target))
    refused(400, "InvalidURI", send("GET", "", [], target="/files/%FF"))
    status, text = send("GET", "/files/%FF", [])
    assert status in (400, 403), (status, text)


def headers_that_contradict_each_other_are_refused():
    md5 = [base64.b64encode(hashlib.md5(body).digest()).decode() for body in (b"x", b"y")]
    for name, one, other in [
        ("content-md5", *md5),
        ("content-md5", *reversed(md5)),
        ("if-match", '"a"', '"b"'),
        ("if-none-match", "*", '"b"'),
        ("content-type", "text/plain", "image/png"),
    ]:
        answer = signed("PUT", "/files/twice.txt", b"x", unsigned=[(name, one), (name, other)])
        refused(400, "InvalidRequest", answer)
    # Of a length beside a coding nothing is left, and a content without a length is none here.
    coded = [("content-length", "1"), ("transfer-encoding", "chunked")]
    for lines in (coded, coded[::-1]):
        answer = signed("PUT", "/files/twice.txt", b"1\r\nx\r\n0\r\n\r\n", unsigned=lines, claim="UNSIGNED-PAYLOAD")
        refused(411, "MissingContentLength", answer)
    # Where such a request ends nobody knows: it is refused before there is one to answer.
    for lengths in (("5", "6"), ("6", "5")):
        lines = "".join(f"Content-Length: {length}\r\n" for length in lengths)
        with socket.create_connection((ENDPOINT.hostname, ENDPOINT.port), timeout=20) as connection:
            connection.sendall(f"PUT /files/twice.txt HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\ncargo".encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 400") and b"connection: close" in answer.lower(), answer
    assert not there("/files/twice.txt")


def a_content_that_breaks_off_is_not_stored():
    whole = b"in pieces"
    announced = [("content-length", str(len(whole)))]
    for claim in (hashlib.sha256(whole).hexdigest(), "UNSIGNED-PAYLOAD"):
        answer = signed("PUT", "/files/cut.txt", whole[:4], claim=claim, unsigned=announced, cut=True)
        refused(400, "IncompleteBody", answer)
    assert not there("/files/cut.txt")


def a_body_that_was_not_sent_is_not_waited_for():
    with socket.create_connection((ENDPOINT.hostname, ENDPOINT.port), timeout=20) as connection:
        connection.sendall(
            f"PUT /files/x HTTP/1.1\r\nHost: {HOST}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n".encode()
        )
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 403") and b"connection: close" in answer.lower(), answer


def xml_that_is_none_is_refused():
    for body in (b"", b"<Delete>", b"not xml", b"<Delete>" + b"<Object><Key>x</Key></Object>" * 2000 + b"</Delete>"):
        answer = signed("POST", "/files", body, query=[("delete", "")])
        assert answer[0] == 400, answer
    huge = b"<Delete>" + b" " * (9 << 20) + b"</Delete>"
    answer = signed("POST", "/files", huge, query=[("delete", "")])
    refused(400, "MaxMessageLengthExceeded", answer)
    claim = hashlib.sha256(b"another").hexdigest()
    answer = signed("POST", "/files", b"<Delete/>", query=[("delete", "")], claim=claim)
    refused(400, "XAmzContentSHA256Mismatch", answer)


def the_bucket_may_stand_before_the_domain():
    status, text = send("GET", "/hand made+.txt", [], host="files.localhost:8012")
    assert status == 403 and b"AccessDenied" in text, (status, text)
    status, text = send("GET", "/hand made+.txt", [], host="nobody.localhost")
    assert status == 404 and b"NoSuchBucket" in text, (status, text)


FACTS = [
    a_request_signed_by_hand_is_taken,
    headers_that_are_not_signed_are_refused,
    a_clock_that_is_wrong_is_told,
    a_presigned_address_is_good_for_its_time,
    a_content_that_was_changed_is_not_stored,
    signatures_of_other_kinds_are_refused,
    chunks_and_their_trailers_are_verified,
    conditions_that_no_client_sends_hold_too,
    addresses_that_name_nothing_are_refused,
    headers_that_contradict_each_other_are_refused,
    a_content_that_breaks_off_is_not_stored,
    a_body_that_was_not_sent_is_not_waited_for,
    xml_that_is_none_is_refused,
    the_bucket_may_stand_before_the_domain,
]

if __name__ == "__main__":
    named = sys.argv[1:]
    for fact in FACTS:
        if not named or fact.__name__ in named:
            print(fact.__name__, flush=True)
            fact()
