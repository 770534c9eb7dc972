"""Heyi · 合议: a committee hears a case, forms its opinion, records dissent, votes, and answers for it."""

VERSION = "0.1.0"
"""The version of this release; pyproject.toml has the same."""
