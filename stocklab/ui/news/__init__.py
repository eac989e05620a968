"""The page of news and disclosures of many symbols."""
