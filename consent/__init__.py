"""The rules of consent, pure: who a contact is, where one stands, whether we may send."""
