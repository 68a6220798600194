"""Numbers with error bounds: what one rounding loses, balls of 106 bits, Arb's balls."""
