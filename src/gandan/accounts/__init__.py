"""People who can sign in: their name, their password, their sessions. What they may do is said by staffing."""
