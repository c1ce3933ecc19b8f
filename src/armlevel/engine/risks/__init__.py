"""What changes no answer, and what a person should know before a move: risks, errata, hidden instructions."""
