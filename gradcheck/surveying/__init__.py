"""L3: surveys, what looks at one module over many calls, on request."""
