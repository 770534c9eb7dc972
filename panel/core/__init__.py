"""What every area stands on: time, ids, errors, database, authorisation, pages. Knows nothing about committees."""
