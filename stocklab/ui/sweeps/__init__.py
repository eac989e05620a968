"""The page of sweeps: what is varied, how far it is, what came out."""
