"""Plugins: surfaces of other tools, each one file that uses gradcheck's public names only."""
