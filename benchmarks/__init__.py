"""What crm-sync costs, beside the least that the same effect can cost. Nothing imports it."""
