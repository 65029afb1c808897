"""The units of the country through time. A unit is a row between two legal acts.

Communes merge, divide, change name and type, and their codes are used again for other places. A unit is
never edited into another one: an act ends some and establishes others, and says which part went where.
"""
