"""Dissents, reservations and concurring opinions: filed, joined, answered."""
