"""Numbers with error bounds: bounds on one rounding, balls of 106 bits, Arb's balls."""
