"""Completeness: RingCentral, the ledger and the archive are compared, and a statement is signed."""
