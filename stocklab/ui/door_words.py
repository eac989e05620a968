"""Words of the pages in front of the app: log-in, sign-up, second step, log-out and new password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.ui.mark import N_

__all__ = ["DOOR_WORDS"]

DOOR_WORDS: Final[Mapping[str, str]] = {
    "busy": N_("Many people are logging in at this moment. Try again in a few seconds."),
    "closed_title": N_("This account is closed"),
    "code": N_("One-time code"),
    "code_hint": N_("Six digits of your authenticator app, or a recovery code"),
    "email": N_("E-mail"),
    "first_account": N_("There is no account yet. The first one becomes the admin of this Stock Lab."),
    "forgot": N_("Forgot the password?"),
    "forgot_again": N_("Ask for a new link"),
    "forgot_lead": N_("Enter your e-mail. If there is an account, a link to set a new password is on its way."),
    "forgot_no_mail": N_("No mail is set up here. The people who run this can give you a link to set a new password."),
    "forgot_sent": N_("If there is an account with this e-mail, a link is on its way. It is good for an hour."),
    "forgot_title": N_("Set a new password"),
    "log_in": N_("Log in"),
    "log_in_title": N_("Log in"),
    "log_out": N_("Log out"),
    "log_out_lead": N_("You are logged in as {nickname}."),
    "log_out_title": N_("Log out?"),
    "logged_out": N_("You are logged out."),
    "mail_subject": N_("Stock Lab: set a new password"),
    "mail_text": N_(
        "Somebody, probably you, asked for a new password at Stock Lab. This link is good for an hour and works once:"
        "\n\n{link}\n\nIf it was not you, do nothing: your password stays.\n"
    ),
    "new_password": N_("New password"),
    "nickname": N_("Nickname"),
    "nickname_hint": N_("What others see; 2 to 20 letters or digits"),
    "password": N_("Password"),
    "password_hint": N_("12 characters or more; several words are easy to remember"),
    "password_repeat": N_("Password again"),
    "password_set": N_("The new password is set. Log in with it."),
    "phone": N_("Phone (if you like)"),
    "reset_title": N_("New password for {nickname}"),
    "second_title": N_("Second step"),
    "send": N_("Send"),
    "set_password": N_("Set the password"),
    "sign_up": N_("Sign up"),
    "sign_up_have": N_("I have an account"),
    "sign_up_lead": N_("Free of charge; you can delete the account at any time."),
    "sign_up_title": N_("Open an account"),
    "tagline": N_("Test your investment ideas on Korean stocks before money is at stake."),
    "to_log_in": N_("Back to log-in"),
    "to_start": N_("To the start"),
}
