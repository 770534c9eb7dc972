"""The dossier: the case, who is assigned to it, its exhibits, questions of fact, verification."""
