"""Pages and mails: themes, template environments, assets, icons and brand colours."""
