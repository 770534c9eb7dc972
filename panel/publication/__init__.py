"""The public summary: composed from the record, anonymised, published."""
