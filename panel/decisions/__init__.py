"""The panel's finding and the authority's decision."""
