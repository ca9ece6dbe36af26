"""A real mail server (aiosmtpd) with STARTTLS and a log-in, which prints what it takes: its
port first, then each message as a line of JSON."""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

options = json.loads(sys.argv[1])


class Mailbox:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("nobody@"):
            return "550 nobody has this name here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        taken = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None,
            "headers": {name: str(value) for name, value in message.items()},
            "text": message.get_content().replace("\r\n", "\n"),
        }
        print(json.dumps(taken), flush=True)
        return "250 taken"


def log_in(server, session, envelope, mechanism, data):
    right = (data.login.decode(), data.password.decode()) == (options["user"], options["password"])
    if right:
        return AuthResult(success=True)
    # As one that tells too much would say it.
    return AuthResult(
        success=False, handled=False, message=f"535 {data.password.decode()} is wrong"
    )


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options["certificate"], options["key"])

    def session():
        return SMTP(
            Mailbox(),
            hostname="mail.test",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            authenticator=log_in,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
