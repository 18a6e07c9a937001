"""What the command `optledger` can do, one file a group of commands."""
