"""What a user does with the installed command."""
