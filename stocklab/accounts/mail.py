"""Mail to users, over TLS, to the server that the settings name."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import Final

import structlog

from stocklab.errors import SourceTemporary
from stocklab.settings import Settings

__all__ = ["can_mail", "send_mail"]

log = structlog.get_logger(__name__)

_SECONDS: Final = 20.0


def can_mail(settings: Settings) -> bool:
    """Whether mail is set up: a server, a sender, and the address of this app for links."""
    return bool(settings.smtp_server and settings.mail_from and settings.public_url)


def send_mail(settings: Settings, *, to: str, subject: str, text: str) -> None:
    """Send one mail. The connection is encrypted and the certificate checked, unless the server is this machine.

    Raises
    ------
    SourceTemporary
        The server did not take it.
    """
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    host, port = settings.smtp_server, settings.smtp_port
    context = ssl.create_default_context()
    try:
        if settings.smtp_tls == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
        else:
            client = smtplib.SMTP(host, port, timeout=_SECONDS)
        with client:
            if settings.smtp_tls == "starttls":
                client.starttls(context=context)
            if settings.smtp_user is not None and settings.smtp_password is not None:
                client.login(settings.smtp_user.get_secret_value(), settings.smtp_password.get_secret_value())
            client.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail_not_sent", error=type(error).__name__)
        raise SourceTemporary("mail", f"the mail server did not take the message ({type(error).__name__})") from error
