"""The one way in: what a delivery, a log or an operator says is recorded here, all or nothing."""
