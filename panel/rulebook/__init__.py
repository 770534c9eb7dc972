"""Rules as data: considerations, catalogues, procedures, rules of procedure, with source and status."""
