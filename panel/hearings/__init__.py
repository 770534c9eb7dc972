"""The hearing: order of business, floor, questions, minutes, the live page."""
