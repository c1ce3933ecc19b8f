"""The value of one field: what each host keeps of it, which value is chosen, and what follows from it for others."""
