"""What people look at: the moderator's report."""
