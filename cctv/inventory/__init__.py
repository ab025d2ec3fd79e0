"""Who: the inventories; each answers with the records it holds, unchecked."""
