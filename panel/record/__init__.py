"""The record: sequenced, integrated, published."""
