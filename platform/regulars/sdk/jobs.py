"""Background work: declare a job, make one in the transaction that wants it.

`work.service(PluginRules)` in a job reads the plugin's settings in each program, `announce` tells an event of the
plugin. `work.service(Awards)` gives what a referral, a birthday or another occasion earns.
"""

from regulars.domain.awards.service import Awards
from regulars.domain.programs.plugin_rules import PluginRules, ProgramRules
from regulars.kernel.events import announce
from regulars.kernel.jobs import Daily, Every, JobWork, enqueue, job

__all__ = ["Awards", "Daily", "Every", "JobWork", "PluginRules", "ProgramRules", "announce", "enqueue", "job"]
