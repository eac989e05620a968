"""KIS Developers (한국투자증권 Open API): domestic stocks on KRX, live and mock.

`execution.KisBroker` is the account over REST, `stream.KisStream` its fills and quotes over a socket. Nothing is
imported here, so that one can be used without the other.
"""
