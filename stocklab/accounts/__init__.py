"""Who may come in: accounts, log-in, sessions, second factor, tokens, plans, and what admins do."""

from stocklab.accounts.administration import Administration, DayFigures, UserPage
from stocklab.accounts.feedback import Feedback, FeedbackKind, FeedbackPage, FeedbackState, Message
from stocklab.accounts.house import Accounts
from stocklab.accounts.leaving import LEFT_NAME, Leaving
from stocklab.accounts.log_in import Limit, LogIn, hashed, network_of, spend_all
from stocklab.accounts.names import email_name, folded, nickname_name, phone_name
from stocklab.accounts.notices import Notice, NoticeLevel, Notices
from stocklab.accounts.passwords import LEAST_CHARACTERS, MOST_BYTES, check_policy, hash_password, matches
from stocklab.accounts.plans import Allowance, Plan, Plans
from stocklab.accounts.recording import Record
from stocklab.accounts.resets import Resets
from stocklab.accounts.second_factor import Enrolment, SecondFactor
from stocklab.accounts.sessions import LIFETIME, LiveSession, SessionLine, Sessions
from stocklab.accounts.tokens import Scope, TokenHolder, TokenLine, Tokens
from stocklab.accounts.user import Role, Standing, User
from stocklab.accounts.users import NewAccount, Users

__all__ = [
    "LEAST_CHARACTERS",
    "LEFT_NAME",
    "LIFETIME",
    "MOST_BYTES",
    "Accounts",
    "Administration",
    "Allowance",
    "DayFigures",
    "Enrolment",
    "Feedback",
    "FeedbackKind",
    "FeedbackPage",
    "FeedbackState",
    "Leaving",
    "Limit",
    "LiveSession",
    "LogIn",
    "Message",
    "NewAccount",
    "Notice",
    "NoticeLevel",
    "Notices",
    "Plan",
    "Plans",
    "Record",
    "Resets",
    "Role",
    "Scope",
    "SecondFactor",
    "SessionLine",
    "Sessions",
    "Standing",
    "TokenHolder",
    "TokenLine",
    "Tokens",
    "User",
    "UserPage",
    "Users",
    "check_policy",
    "email_name",
    "folded",
    "hash_password",
    "hashed",
    "matches",
    "network_of",
    "nickname_name",
    "phone_name",
    "spend_all",
]
