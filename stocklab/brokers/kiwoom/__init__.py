"""Kiwoom Securities (키움 REST API): domestic stocks on KRX, live and mock.

`execution.KiwoomBroker` is the account over REST, `stream.KiwoomStream` its fills and quotes over a socket. Nothing is
imported here, so that one can be used without the other.
"""
