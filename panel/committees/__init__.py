"""The committee: seats, declarations of interest, recusal, attendance, quorum."""
