"""Meta's door: the signature, the payload, and what a delivery says."""
