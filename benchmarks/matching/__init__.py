"""Matching two systems' people by crm-sync and by linkage libraries, on the same files."""
