"""Limits on how often something may be tried; counted in Redis, each with a declared side to fail to."""

from regulars.kernel.ratelimit.limiter import Limit, RateLimiter, Usage
from regulars.kernel.ratelimit.pace import Pace, TooBusy

__all__ = ["Limit", "Pace", "RateLimiter", "TooBusy", "Usage"]
