"""The factor pages: all factors with search and filters, and one factor with everything known of it."""
