"""A mail server on a loopback socket, without TLS: takes what comes, or refuses it."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Mail:
    """What one client said."""

    sender: str = ""
    to: list[str] = field(default_factory=list)
    data: str = ""


class MailServer:
    """Listens on ``port`` between ``with`` and its end; ``refuse`` is a line such as ``550 no``."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuse = ""
        handler = type("Handler", (_Handler,), {"desk": self})
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(socketserver.StreamRequestHandler):
    desk: MailServer

    def handle(self) -> None:
        mail = Mail()
        self._say("220 post.test")
        while line := self.rfile.readline():
            word = line.decode().strip()
            if word.upper().startswith(("EHLO", "HELO")):
                self._say("250 post.test")
            elif word.upper().startswith("MAIL FROM"):
                mail.sender = word
                self._say("250 ok")
            elif word.upper().startswith("RCPT TO"):
                mail.to.append(word)
                self._say(self.desk.refuse or "250 ok")
            elif word.upper() == "DATA":
                self._say("354 go on")
                mail.data = self._data()
                self.desk.mails.append(mail)
                self._say("250 taken")
            elif word.upper() == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _data(self) -> str:
        lines: list[bytes] = []
        while (line := self.rfile.readline()).rstrip() != b".":
            lines.append(line)
        return b"".join(lines).decode()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
