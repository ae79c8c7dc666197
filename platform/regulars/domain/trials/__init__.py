"""Trials: rules tried on a typed-in sale, or on the sales of the past, before anybody is given anything by them."""
