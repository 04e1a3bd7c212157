"""How a verification is written down: each format a function from it to text, and what they share."""
