"""Simulated participants: they act through HTTP and sockets only."""
