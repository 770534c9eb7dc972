"""An installation in operation: health, backups, and what goes wrong."""
