"""Which ways of speaking HTTP a broker has on its port."""
import socket
import ssl

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and empty SETTINGS


def connected(broker, alpn=None, is_tls=False):
    host, port = broker.url.removeprefix("http://").split(":")
    plain = socket.create_connection((host, int(port)), timeout=10)
    if not is_tls:
        return plain
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    return context.wrap_socket(plain, server_hostname="localhost")


def speaks_http2(broker, is_tls=False, alpn=None):
    """Whether the first frame that answers the preface is SETTINGS."""
    try:
        with connected(broker, alpn, is_tls) as peer:
            peer.sendall(PREFACE)
            return peer.recv(9)[3:4] == b"\x04"
    except OSError:
        return False
