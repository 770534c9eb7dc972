"""People, credentials, sign-in sessions."""
