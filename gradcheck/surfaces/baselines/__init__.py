"""Runs that are kept, and what is worse or better than in one."""
