"""L1: what people already have, turned into a Module; numpy only."""
