"""The public draw of a panel: prepared, committed, fixed, revealed, held; whoever reads the record draws it again."""
