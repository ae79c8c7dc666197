"""Background work: declare a job, make one in the transaction that wants it."""

from regulars.kernel.jobs import Daily, Every, JobWork, enqueue, job

__all__ = ["Daily", "Every", "JobWork", "enqueue", "job"]
