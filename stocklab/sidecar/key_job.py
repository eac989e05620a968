"""The work of a wish to try a key: the outcome is a line, also where the service says no."""

from __future__ import annotations

from stocklab.data.sources.key_trial import try_key
from stocklab.errors import InputError, SourceDenied, SourceError
from stocklab.operations import DatabaseCalls, SourceKeys, open_sealer, sync_events, with_source_keys
from stocklab.operations.key_trials import KeyVerdict, verdict_line
from stocklab.sidecar.work import JobContext, stop_event

__all__ = ["key_work"]

_ONE_AT_A_TIME = "pykrx"  # an account is logged in once: a second log-in would end the session of a sync


def key_work(context: JobContext) -> str:
    """Ask the source once with the key that is set.

    Raises
    ------
    SettingsError
        The secret of the stored keys cannot be used.
    Cancelled
        It was told to stop.
    """
    source = str(context.document["source"])
    if source == _ONE_AT_A_TIME and any(event.state == "running" for event in sync_events(context.database)):
        return verdict_line(KeyVerdict.UNASKED, "a sync runs and may be using the account; try again when it is done.")
    settings = with_source_keys(context.settings, SourceKeys(context.database, open_sealer(context.settings)))
    calls = DatabaseCalls(context.database, clock=context.clock)
    with stop_event(context.stop) as stop:
        try:
            try_key(source, settings, calls, stop=stop, clock=context.clock)
        except SourceDenied as error:
            return verdict_line(KeyVerdict.REFUSED, str(error))
        except (SourceError, InputError) as error:
            return verdict_line(KeyVerdict.UNASKED, str(error))
    return verdict_line(KeyVerdict.WORKS)
