"""The page of watched symbols and of those looked at last."""
