"""Many prompts from one text: a matrix of choices, or a table. Pure: no database, no request."""
