"""Strategies at work: accounts at brokers, traders, guards, tickets, and what the background process does with them."""
