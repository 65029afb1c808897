"""Who serves where, in which role and since when; and which matters are about whom.

A grant is a role at a unit between two dates; it reaches everything beneath that unit, and the records of
the units that were merged into it. A concern says that a matter is about a unit or an officer: from then
on it does not exist for those concerned.
"""
