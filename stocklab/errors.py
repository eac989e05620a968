"""Every error Stock Lab raises on purpose, cut by what the caller can do.

StockLabError
├── InputError            the user changes the form, the formula or the command
│   ├── FormulaError      a formula: carries the text and the character
│   ├── DocumentError     a strategy document: carries every field at fault
│   ├── ResultOutdated    a stored result of other data or of another version of the program
│   ├── SettingsError     an environment variable or a settings file
│   ├── AccountFault      what a person entered about an account: carries a code and the field
│   └── LimitReached      done too often: carries the time to wait
├── DataError             data is missing, broken or stale
│   ├── BrokenInput       a file to import: carries file, row and column
│   ├── StoreError        the market store itself (lock, checksum, version)
│   └── ResultNotFound    no stored result under that id
├── SourceError           an outside service: carries its name
│   ├── SourceOff         no key is set, or the service is switched off: not a fault
│   ├── SourceDenied      the service refuses the key or the kind of question; a person must act
│   ├── SourceExhausted   the day's budget is spent; tomorrow goes on
│   ├── SourceBlocked     the service must be left alone until a time
│   ├── SourceTemporary   no usable answer after the retries
│   └── SourceChanged     the answer is not what the protocol says
├── BrokerError           a broker: carries its name
│   ├── BrokerTemporary   a question got no usable answer; it may be asked again
│   ├── BrokerDenied      keys, address, rights or account: a person must act
│   ├── OrderRejected     refused for good: there is no order
│   ├── OrderUnsent       nothing left this machine: there is no order
│   └── OrderUnknown      perhaps there is an order: look it up, never send it again
├── JournalConflict       two processes write the journal of orders: this one stops
├── OrderStateError       an event that an order in this state cannot have: its account stops
├── JobError              a job cannot be started, found or cancelled
│   └── JobNotFound       there is none of that id, or it is somebody else's
└── Cancelled             a person stopped the work
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = [
    "AccountFault",
    "BrokenInput",
    "BrokerDenied",
    "BrokerError",
    "BrokerTemporary",
    "Cancelled",
    "DataError",
    "DocumentError",
    "FieldFault",
    "FormulaError",
    "InputError",
    "JobError",
    "JobNotFound",
    "JournalConflict",
    "LimitReached",
    "OrderRejected",
    "OrderStateError",
    "OrderUnknown",
    "OrderUnsent",
    "ResultNotFound",
    "ResultOutdated",
    "SettingsError",
    "SourceBlocked",
    "SourceChanged",
    "SourceDenied",
    "SourceError",
    "SourceExhausted",
    "SourceOff",
    "SourceTemporary",
    "StockLabError",
    "StoreError",
]


class StockLabError(Exception):
    """Base of the tree. ``exit_code`` is what the command line answers with."""

    exit_code = 4


class InputError(StockLabError):
    """What was asked for is not valid: expected, found and a hint are in the message."""

    exit_code = 2


class FormulaError(InputError):
    """A formula that cannot be used.

    ``position`` is the 0-based character in ``text`` where the fault begins and ``length`` how many
    characters it spans; ``code`` is a stable name for the user's language; ``suggestion`` the nearest
    known name, if one is near.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str,
        position: int,
        length: int = 1,
        code: str = "syntax",
        suggestion: str | None = None,
    ) -> None:
        self.text = text
        self.position = position
        self.length = length
        self.code = code
        self.suggestion = suggestion
        self.reason = message
        super().__init__(f"{message} (character {position + 1})")

    def pointer(self) -> str:
        """Two lines: the formula (a window of it when long) and a caret under the fault.

        >>> print(FormulaError("Unknown name", text="clsoe > 3", position=0, length=5).pointer())
        clsoe > 3
        ^^^^^
        """
        start = max(0, self.position - 40)
        window = self.text[start : start + 80].replace("\n", " ")
        return f"{window}\n{' ' * (self.position - start)}{'^' * max(1, min(self.length, 80))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """One fault in a document: ``path`` such as ``entry.rules.1.formula``, a stable code, the message."""

    path: str
    code: str
    message: str


class DocumentError(InputError):
    """A strategy document with faults; every one is listed with its path."""

    exit_code = 1

    def __init__(self, faults: tuple[FieldFault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))


class SettingsError(InputError):
    """A setting is unknown or not valid; the program does not start."""


class AccountFault(InputError):
    """Something about an account that cannot be as asked.

    ``code`` is a stable name for the user's language, with ``values`` for its words (``until`` a moment in ISO 8601);
    ``field`` is the input it is about, "" for none.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, *, field: str = "", **values: str) -> None:
        self.code = code
        self.field = field
        self.values = values
        super().__init__(message)


class LimitReached(InputError):
    """Something was done as often as it may be for now; ``wait`` is the time until it may be done again."""

    exit_code = 1

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(f"Too often. Try again in {max(1, round(wait.total_seconds())):,} seconds.")


class ResultOutdated(InputError):
    """A question about a stored result that only the data and the program that made it could answer."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__("The market data or the program changed since this run. Run it again, then ask again.")


class DataError(StockLabError):
    """Data needed for the answer is missing, broken or stale."""

    exit_code = 3


class BrokenInput(DataError):
    """A file that is refused whole. Row is 1-based in the file's data rows (header not counted)."""

    def __init__(
        self, message: str, *, file: str, row: int | None = None, column: str | None = None, hint: str = ""
    ) -> None:
        self.file = file
        self.row = row
        self.column = column
        self.hint = hint
        where = file
        where += f", row {row}" if row is not None else ""
        where += f", column {column!r}" if column is not None else ""
        super().__init__(f"{where}: {message}" + (f" Hint: {hint}" if hint else ""))


class StoreError(DataError):
    """The market store refuses: locked by another process, a checksum differs, or a version is unknown."""


class ResultNotFound(DataError):
    """No stored result has this id."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"No result {run_id!r} is stored here. Hint: results are kept per STOCKLAB_HOME.")


class SourceError(StockLabError):
    """An outside service did not give what was asked for."""

    def __init__(self, source: str, message: str) -> None:
        self.source = source
        super().__init__(f"{source}: {message}")


class SourceOff(SourceError):
    """The service is not in use: no key is set, or it is switched off."""


class SourceDenied(SourceError):
    """The service refuses the key or this kind of question; asking again changes nothing until a person acts."""


class SourceExhausted(SourceError):
    """The day's requests are spent, by our own count or by the service's."""

    def __init__(self, source: str, *, budget: int | None = None, message: str = "") -> None:
        self.budget = budget
        spent = f"the day's {budget:,} requests are spent" if budget is not None else "the day's quota is spent"
        super().__init__(source, f"{message or spent}; the rest follows tomorrow.")


class SourceBlocked(SourceError):
    """The service showed that it wants to be left alone."""

    def __init__(self, source: str, *, until: datetime, reason: str) -> None:
        self.until = until
        self.reason = reason
        super().__init__(source, f"not asked before {until:%Y-%m-%d %H:%M %Z} ({reason}).")


class SourceTemporary(SourceError):
    """No usable answer after the retries; a later sync asks again."""


class SourceChanged(SourceError):
    """The answer is not what the protocol says. ``found`` is its beginning."""

    def __init__(self, source: str, message: str, *, found: str = "") -> None:
        self.found = found
        super().__init__(source, f"{message}; found {found!r}." if found else f"{message}.")


class BrokerError(StockLabError):
    """A broker did not do what was asked. ``code`` is its own code, empty when it gave none."""

    def __init__(self, broker: str, message: str, *, code: str = "") -> None:
        self.broker = broker
        self.code = code
        super().__init__(f"{broker}: {message}" + (f" [{code}]" if code else ""))


class BrokerTemporary(BrokerError):
    """A question got no usable answer. Asking again later is safe; sending an order again is not a question."""


class BrokerDenied(BrokerError):
    """Keys, address, rights or the account are refused; asking again changes nothing until a person acts."""


class OrderRejected(BrokerError):
    """The broker refused an order, or a request to cancel one, for good. ``reason`` is a `Rejection`."""

    def __init__(self, broker: str, message: str, *, reason: str, code: str = "") -> None:
        self.reason = reason
        super().__init__(broker, message, code=code)


class OrderUnsent(BrokerError):
    """The request never left this machine, so there is no order."""


class OrderUnknown(BrokerError):
    """Whether the broker took the order is not known: look it up, never send it again.

    ``likely_refused``: the answer says that it was not processed; that is not certain enough to act on.
    """

    def __init__(self, broker: str, message: str, *, code: str = "", likely_refused: bool = False) -> None:
        self.likely_refused = likely_refused
        super().__init__(broker, f"{message}. Hint: look the order up before any new one", code=code)


class JournalConflict(StockLabError):
    """An order was changed by somebody else since it was read, or its fill is booked already; nothing was kept."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(f"Order {order_id} was changed by another process. Hint: one scheduler at a time may trade.")


class OrderStateError(StockLabError):
    """An order cannot have this event in its state; nothing was changed, and the account must stop."""

    def __init__(self, state: str, event: str, order_id: str = "") -> None:
        self.state = str(state)
        self.event = str(event)
        self.order_id = order_id
        super().__init__(f"Order {order_id or '?'}: '{event}' cannot follow state '{state}'.")


class JobError(StockLabError):
    """A job cannot be queued, found or cancelled."""


class JobNotFound(JobError):
    """The owner has no such job: it never was, or it is somebody else's."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"There is no job {job_id!r}. Hint: the list of jobs shows what was started.")


class Cancelled(StockLabError):
    """The work was stopped on request; nothing half-done was stored."""
