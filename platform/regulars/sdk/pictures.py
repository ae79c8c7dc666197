"""What is drawn for passes in the phone; call it in a thread. `draw_strip` draws the boxes of a stamp card."""

from regulars.domain.tenants.strips import draw_sign, draw_strip, fit_logo

__all__ = ["draw_sign", "draw_strip", "fit_logo"]
