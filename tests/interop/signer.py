"""AWS Signature Version 4 by the documentation alone, for requests that no SDK signs: late, early, in the query, in part."""
import datetime
import hashlib
import hmac
from urllib.parse import quote

EMPTY = hashlib.sha256(b"").hexdigest()


class Key:
    def __init__(self, key_id, secret, token=None):
        self.key_id, self.secret, self.token = key_id, secret, token


def stamp(seconds=0):
    """Now, or so many seconds later."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%SZ")


def signature(key, scope, when, canonical):
    text = "\n".join(["AWS4-HMAC-SHA256", when, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    derived = ("AWS4" + key.secret).encode()
    for part in scope.split("/"):
        derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
    return hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()


def canonical(method, query, headers, body):
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    return "\n".join([method, "/", query, lines, ";".join(sorted(headers)), hashlib.sha256(body).hexdigest()])


def signed_headers(key, headers, body, region="eu-west-1", service="kinesis", offset=0, date=None, terminator="aws4_request"):
    """`headers` with what a signature adds; names in lower case, all of them signed."""
    when = stamp(offset)
    scope = f"{date or when[:8]}/{region}/{service}/{terminator}"
    headers = {k.lower(): v for k, v in headers.items()} | {"x-amz-date": when}
    if key.token:
        headers["x-amz-security-token"] = key.token
    made = signature(key, scope, when, canonical("POST", "", headers, body))
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={key.key_id}/{scope}, "
                                f"SignedHeaders={';'.join(sorted(headers))}, Signature={made}")
    return headers


def presigned_query(key, host, body, region="eu-west-1", service="kinesis", offset=0, expires=300):
    when = stamp(offset)
    scope = f"{when[:8]}/{region}/{service}/aws4_request"
    values = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{key.key_id}/{scope}", "X-Amz-Date": when,
              "X-Amz-Expires": str(expires), "X-Amz-SignedHeaders": "host"}
    if key.token:
        values["X-Amz-Security-Token"] = key.token
    query = "&".join(f"{name}={quote(values[name], safe='-_.~')}" for name in sorted(values))
    made = signature(key, scope, when, canonical("POST", query, {"host": host}, body))
    return f"{query}&X-Amz-Signature={made}"
