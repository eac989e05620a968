"""What each fault of an account is called in the user's language, by its code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.ui.mark import N_

__all__ = ["ACCOUNT_FAULTS"]

ACCOUNT_FAULTS: Final[Mapping[str, str]] = {
    "account_banned": N_("This account is closed until {until}."),
    "account_off": N_("This account is switched off. Ask the people who run this."),
    "code_wrong": N_("The code is not right, or was used before."),
    "contact_taken": N_("This e-mail or phone cannot be used. If you have an account, log in or set a new password."),
    "email_form": N_("This is not an e-mail address. Example: name@example.com"),
    "feedback_length": N_("A message has 1 to 4,000 characters."),
    "half_way_over": N_("This took too long. Enter e-mail and password again."),
    "last_admin": N_("You are the only admin. Make somebody else an admin first."),
    "login_wrong": N_("E-mail or password is not right."),
    "nickname_form": N_("A nickname has 2 to 20 letters or digits; . _ - and single spaces may stand between."),
    "nickname_reserved": N_("This nickname is reserved. Choose another."),
    "nickname_taken": N_("This nickname is taken. Choose another."),
    "not_admin": N_("Only admins may do this."),
    "not_oneself": N_("This cannot be done to your own account."),
    "notice_days": N_("A notice ends after it begins."),
    "notice_length": N_("A notice has a title of 1 to 120 characters."),
    "password_characters": N_("A password holds characters that can be typed."),
    "password_common": N_("This is among the first passwords anybody would try. Choose one that is harder to guess."),
    "password_is_name": N_("The password is built on your e-mail or nickname. Choose another."),
    "password_long": N_("The password is too long: at most 72 letters, or 24 in Korean."),
    "password_same": N_("The new password is the one you have. Choose another."),
    "password_repeat": N_("The two passwords differ."),
    "password_short": N_("A password needs 12 characters or more."),
    "password_wrong": N_("The password is not right."),
    "phone_form": N_("This is not a phone number. Example: 010-1234-5678"),
    "reset_over": N_("This link was used or is too old. Ask for a new one."),
    "second_factor_on": N_("The second step is on already."),
    "sign_up_closed": N_("Nobody can sign up here now. Ask the people who run this."),
    "token_days": N_("A token is good for 1 to 366 days."),
    "token_name": N_("A token needs a name of 1 to 80 characters."),
    "token_scope": N_("Choose what the token may do."),
    "too_many_tokens": N_("There are 20 tokens. Revoke one first."),
    "unknown_account": N_("There is no such account."),
    "unknown_message": N_("There is no such message."),
    "unknown_notice": N_("There is no such notice."),
    "unknown_plan": N_("There is no such plan."),
    "unknown_session": N_("There is no such session."),
    "unknown_token": N_("There is no such token."),
}
