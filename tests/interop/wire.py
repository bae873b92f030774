"""Requests as bytes, for what no SDK would send: post(broker, operation, body, ...) and the two encodings' documents."""
import http.client
import json

import cbor
import model
from facts import Facts, members_of

JSON = "application/x-amz-json-1.1"
CBOR = "application/x-amz-cbor-1.1"
SIGNED = ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-1/kinesis/aws4_request, "
          "SignedHeaders=host;x-amz-date, Signature=0000")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.content_type = response.getheader("Content-Type")

    def document(self):
        """What the body says, by the media type that it claims; an empty body is None."""
        if self.body == b"":
            return None
        assert b"StreamId" not in self.body, "clients rewrite their endpoint by it"
        return cbor.decode(self.body) if self.content_type == CBOR else json.loads(self.body)

    def error(self):
        """(type, message or None)"""
        document = self.document()
        return document["__type"], document.get("message", document.get("Message"))


class Wire:
    """One connection to a broker. What it shows of the API goes to `facts`."""

    def __init__(self, broker, facts=None):
        self.broker = broker
        self.facts = facts or Facts("none")
        self.connection = http.client.HTTPConnection(broker.url.removeprefix("http://"), timeout=60)

    def send(self, method, body, headers, path="/"):
        self.connection.request(method, path, body, headers)
        return Answer(self.connection.getresponse())

    def post(self, operation, body, content_type=JSON, **headers):
        """`body`: bytes as they are, or a document to be written in the encoding of `content_type`."""
        members = {} if isinstance(body, bytes) else members_of(body)
        if not isinstance(body, bytes):
            body = cbor.encode(body) if content_type == CBOR else json.dumps(body).encode()
        all_headers = {"X-Amz-Target": f"Kinesis_20131202.{operation}", "Content-Type": content_type, **headers}
        answer = self.send("POST", body, {k: v for k, v in all_headers.items() if v is not None})
        error = None
        if answer.status != 200 and answer.content_type in (JSON, CBOR) and answer.body:
            error = answer.error()[0]
        if operation in model.OPERATIONS and (answer.status == 200 or error):
            self.facts.add(operation, members, error)
        return answer

    def call(self, operation, document, content_type=JSON):
        answer = self.post(operation, document, content_type)
        assert answer.status == 200, (operation, document, answer.status, answer.body)
        assert answer.content_type == content_type, answer.content_type
        return answer.document()
