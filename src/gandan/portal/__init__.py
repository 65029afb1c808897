"""What everyone sees: the first page, the results of each unit, the commander's overview, the auditor's desk."""
