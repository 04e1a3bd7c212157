"""L0: the contract, and the frozen values that flow through all other layers."""
