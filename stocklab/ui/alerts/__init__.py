"""The page of alerts: feed, rules, channels, daily notes; and the count of what is unread, in the frame."""
