"""The invented province Mường Sương, and the chairs in which a visitor may sit.

Its shape is openly Lai Châu's: 106 communes in 8 districts until 2025, 38 communes from July 2025. Every
name, person, matter and figure in it is made up, and every page that shows it says so.
"""
