"""Heyi · 合议: a committee hears a case, forms its opinion, records dissent, votes, and answers for it."""
